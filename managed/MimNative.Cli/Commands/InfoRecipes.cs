using MimNative.Cli.Terminal;
using MimNative.Recipes;
using Spectre.Console;

namespace MimNative.Cli.Commands;

/// <summary><c>mim info recipes</c>: the recipes that come with the library, and where each differs from its method's defaults.</summary>
internal static class InfoRecipes
{
    public static void Show(Shell shell, bool json)
    {
        var recipes = Recipe.Names.Select(n => Recipe.Load(n)).ToList();
        if (json)
        {
            JsonOutput.Print(shell, writer =>
            {
                writer.WriteStartArray();
                foreach (var recipe in recipes)
                {
                    writer.WriteRawValue(recipe.ToJson());
                }
                writer.WriteEndArray();
            });
            return;
        }
        var table = Tables.New("recipe", "what it is", "differs from the defaults of its method in");
        foreach (var recipe in recipes)
        {
            table.AddRow(
                Markup.Escape(recipe.Name), Markup.Escape(recipe.Description),
                Markup.Escape(string.Join(", ", recipe.Differences().Select(d => $"{d.Key} {d.Value}"))));
        }
        Tables.Print(shell, table);
    }
}
