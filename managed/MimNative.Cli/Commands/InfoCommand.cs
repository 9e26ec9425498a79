using System.CommandLine;
using MimNative.Cli.Terminal;
using MimNative.Recipes;
using MimNative.Training;

namespace MimNative.Cli.Commands;

/// <summary><c>mim info</c>: recipes, a recipe, a run, or a safetensors file.</summary>
internal static class InfoCommand
{
    public static Command Create(Shell shell)
    {
        var about = new Argument<string>("about")
        {
            Description = "'recipes', a recipe's name, a run folder, a recipe file, or a safetensors file",
            DefaultValueFactory = _ => "recipes",
        };
        var json = CommonOptions.Json();
        var command = new Command("info", "Shows the recipes, a recipe, a run, or what a safetensors file holds.") { about, json };
        command.SetAction(parsed =>
        {
            var name = parsed.GetValue(about)!;
            var asJson = parsed.GetValue(json);
            if (name == "recipes")
            {
                InfoRecipes.Show(shell, asJson);
            }
            else if (name.EndsWith(".safetensors", StringComparison.Ordinal))
            {
                InfoTensors.Show(shell, name, asJson);
            }
            else if (Directory.Exists(name))
            {
                var run = RunSummary.Of(RunFolder.Open(name));
                if (asJson)
                {
                    InfoRunJson.Show(shell, run);
                }
                else
                {
                    InfoRun.Show(shell, run);
                }
            }
            else
            {
                shell.Output.WriteLine(Recipe.Load(name).ToJson());
            }
            return ExitCode.Ok;
        });
        return command;
    }
}
