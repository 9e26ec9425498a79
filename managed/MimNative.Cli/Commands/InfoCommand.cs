using System.CommandLine;
using System.Globalization;
using MimNative.Cli.Terminal;
using MimNative.Export;
using MimNative.Recipes;
using MimNative.Runtime;
using MimNative.Training;
using Spectre.Console;

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
                Recipes(shell, asJson);
            }
            else if (name.EndsWith(".safetensors", StringComparison.Ordinal))
            {
                Tensors(shell, name, asJson);
            }
            else if (Directory.Exists(name))
            {
                Run(shell, RunFolder.Open(name), asJson);
            }
            else
            {
                shell.Output.WriteLine(Recipe.Load(name).ToJson());
            }
            return ExitCode.Ok;
        });
        return command;
    }

    private static void Recipes(Shell shell, bool json)
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
            var differences = recipe.Differences().Where(d => d.Key is not ("name" or "description"));
            table.AddRow(
                Markup.Escape(recipe.Name), Markup.Escape(recipe.Description),
                Markup.Escape(string.Join(", ", differences.Select(d => $"{d.Key} {d.Value}"))));
        }
        Tables.Print(shell, table);
    }

    private static void Tensors(Shell shell, string path, bool json)
    {
        using var file = SafetensorsFile.Open(path);
        if (json)
        {
            JsonOutput.Print(shell, writer =>
            {
                writer.WriteStartObject();
                writer.WriteStartObject("metadata");
                foreach (var (key, value) in file.Metadata)
                {
                    writer.WriteString(key, value);
                }
                writer.WriteEndObject();
                writer.WriteStartArray("tensors");
                foreach (var entry in file.Entries)
                {
                    writer.WriteStartObject();
                    writer.WriteString("name", entry.Name);
                    writer.WriteString("dtype", entry.Type.Name());
                    writer.WriteStartArray("shape");
                    entry.Shape.ToList().ForEach(writer.WriteNumberValue);
                    writer.WriteEndArray();
                    writer.WriteEndObject();
                }
                writer.WriteEndArray();
                writer.WriteEndObject();
            });
            return;
        }
        foreach (var (key, value) in file.Metadata.OrderBy(m => m.Key, StringComparer.Ordinal))
        {
            shell.Output.WriteLine($"{key} = {value}");
        }
        foreach (var entry in file.Entries)
        {
            shell.Output.WriteLine(entry);
        }
        var numbers = file.Entries.Sum(e => e.Count);
        shell.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{file.Entries.Count} tensors, {numbers:N0} numbers"));
    }

    private static void Run(Shell shell, RunFolder run, bool json)
    {
        var checkpoints = run.Checkpoints().All();
        var state = run.Latest?.ReadState();
        if (json)
        {
            JsonOutput.Print(shell, writer =>
            {
                writer.WriteStartObject();
                writer.WriteString("folder", run.Path);
                writer.WriteStartArray("checkpoints");
                checkpoints.ToList().ForEach(c => writer.WriteStringValue(c.Folder));
                writer.WriteEndArray();
                writer.WriteNumber("step", state?.Step ?? 0);
                writer.WriteNumber("epoch", state?.Epoch ?? 0);
                writer.WritePropertyName("recipe");
                writer.WriteRawValue(run.Recipe.ToJson());
                writer.WriteEndObject();
            });
            return;
        }
        shell.Output.WriteLine(run.Recipe.ToJson());
        shell.Output.WriteLine(state is null
            ? "no checkpoint yet"
            : $"step {state.Step}, epoch {state.Epoch} of {run.Recipe.Train.Epochs}, {state.SamplesSeen} images seen");
        foreach (var checkpoint in checkpoints)
        {
            shell.Output.WriteLine(checkpoint.Folder);
        }
    }
}
