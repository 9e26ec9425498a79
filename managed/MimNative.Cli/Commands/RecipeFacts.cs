using MimNative.Cli.Terminal;
using MimNative.Recipes;

namespace MimNative.Cli.Commands;

/// <summary>A recipe in a few lines: its name, and what it changes of the one that it is made from.</summary>
internal static class RecipeFacts
{
    /// <param name="recipe">The recipe.</param>
    /// <param name="from">The one that it is made from.</param>
    /// <param name="path">Where the complete one lies.</param>
    public static IEnumerable<string> Lines(Recipe recipe, Recipe from, string path)
    {
        var differences = recipe.Differences(from);
        var name = recipe.Name is "" ? "without a name" : recipe.Name;
        var origin = from.Name == recipe.Name ? ""
            : from.Name is "" ? $": the defaults of {recipe.Text("method")} on {recipe.Text("encoder.kind")}"
            : $": {from.Name}";
        return
        [
            .. Facts.Lines("recipe", $"{name}{origin}, {(differences.Count == 0 ? "unchanged" : "changed in")}"),
            .. differences.SelectMany(d => Facts.Lines("", $"  {d.Key} {d.Value} (was {d.Default})")),
            .. Facts.Lines("", $"all of it is in {path}"),
        ];
    }
}
