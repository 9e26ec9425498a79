using MimNative.Evaluation.Benchmarks;
using MimNative.Recipes;
using MimNative.Runtime;

namespace MimNative.Cli.Commands;

/// <summary>What a command line asks to be measured.</summary>
/// <param name="cases">Names of steps, or beginnings of names of ops; empty for all.</param>
/// <param name="recipe">A recipe instead of the steps.</param>
/// <param name="settings">What to change in it.</param>
/// <param name="batch">Images of a step; 0 for each case's own.</param>
/// <param name="device">The kind of device whose cases are meant.</param>
internal sealed class BenchCases(string[] cases, string? recipe, string[] settings, int batch, DeviceKind device)
{
    private const string ScaledByDefault = "mae-vit-s16";

    /// <summary>Whether nothing in particular is asked for.</summary>
    public bool IsEverything => cases.Length == 0 && recipe is null;

    /// <summary>The ops.</summary>
    public IReadOnlyList<OpCase> Ops() => recipe is not null || settings.Length > 0 || batch > 0
        ? throw new ArgumentException("ops have sizes of their own: --recipe, --set and --batch are for steps")
        : cases.Length == 0 ? OpCases.Of(device) : [.. cases.SelectMany(c => OpCases.Find(c, device)).Distinct()];

    /// <summary>The recipes of the steps by the names of their cases.</summary>
    public IReadOnlyList<(string Name, Recipe Recipe)> Steps() =>
        IsEverything ? Of([.. StepCases.Of(device).Select(c => c.Name)]) : Of(cases);

    /// <summary>The steps whose scaling over threads is measured: one, if none is asked for.</summary>
    public IReadOnlyList<(string Name, Recipe Recipe)> Scaled() => Of(IsEverything ? [ScaledByDefault] : cases);

    /// <summary>The element types; auto where none is named.</summary>
    public static IReadOnlyList<Precision> Precisions(string[] names) => names.Length == 0
        ? [Precision.Auto]
        : [.. names.Distinct().Select(name => name switch
        {
            "auto" => Precision.Auto,
            "f32" => Precision.F32,
            "bf16" => Precision.Bf16,
            _ => throw new ArgumentException($"--precision is '{name}', expected auto, f32 or bf16"),
        })];

    private (string Name, Recipe Recipe)[] Of(string[] names)
    {
        if (recipe is null)
        {
            return settings.Length > 0
                ? throw new ArgumentException("--set changes a recipe, so --recipe is missing")
                : [.. names.Select(n => StepCases.Find(n, device)).Select(c => (c.Name, (batch > 0 ? c with { Batch = batch } : c).Recipe()))];
        }
        if (cases.Length > 0)
        {
            throw new ArgumentException("--case and --recipe exclude each other");
        }
        var own = Recipe.Load(
            recipe, [.. settings, "train.accumulation=1", .. batch > 0 ? [$"train.batch={batch}"] : (string[])[]]);
        return [(own.Name, own)];
    }
}
