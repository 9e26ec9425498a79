using MimNative.Evaluation.Benchmarks;
using MimNative.Recipes;

namespace MimNative.Cli.Commands;

/// <summary>Which training steps a command line asks to be measured.</summary>
internal static class BenchCases
{
    private const string ScaledByDefault = "mae-vit-s16";

    /// <summary>The recipes by the names of their cases.</summary>
    public static IReadOnlyList<(string Name, Recipe Recipe)> Selected(string[] cases, string? recipe, string[] settings, int batch)
    {
        if (recipe is null)
        {
            return settings.Length > 0
                ? throw new ArgumentException("--set changes a recipe, so --recipe is missing")
                : [.. (cases.Length > 0 ? cases.Select(StepCases.Find) : StepCases.All).Select(c => (c.Name, OfBatch(c, batch)))];
        }
        if (cases.Length > 0)
        {
            throw new ArgumentException("--case and --recipe exclude each other");
        }
        string[] all = [.. settings, "train.accumulation=1", .. batch > 0 ? [$"train.batch={batch}"] : (string[])[]];
        var own = Recipe.Load(recipe, all);
        return [(own.Name, own)];
    }

    /// <summary>The same for the scaling over threads, where one case is enough if none is asked for.</summary>
    public static IReadOnlyList<(string Name, Recipe Recipe)> Scaled(string[] cases, string? recipe, string[] settings, int batch) =>
        Selected(cases.Length == 0 && recipe is null ? [ScaledByDefault] : cases, recipe, settings, batch);

    private static Recipe OfBatch(StepCase step, int batch) => (batch > 0 ? step with { Batch = batch } : step).Recipe();
}
