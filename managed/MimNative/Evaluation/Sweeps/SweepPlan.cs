using System.Globalization;
using MimNative.Methods;
using MimNative.Recipes;
using MimNative.Runtime;
using MimNative.Training;

namespace MimNative.Evaluation.Sweeps;

/// <summary>One combination of a grid: a run to be, or why it cannot be one.</summary>
/// <param name="Name">Its folder's name: its number and its settings.</param>
/// <param name="Values">A value for each key of the grid.</param>
/// <param name="Recipe">The complete recipe; null where the combination is none.</param>
/// <param name="Skipped">Why it is none, in the recipe's words; null where it is one.</param>
/// <param name="Parameters">Trained parameters.</param>
public sealed record SweepCell(string Name, IReadOnlyList<string> Values, Recipe? Recipe, string? Skipped, long Parameters);

/// <summary>All cells of a sweep, checked before the first one runs.</summary>
/// <param name="Grid">What varies.</param>
/// <param name="Steps">Optimiser steps of each cell.</param>
/// <param name="Cells">The cells.</param>
public sealed record SweepPlan(SweepGrid Grid, int Steps, IReadOnlyList<SweepCell> Cells)
{
    /// <summary>One step in so many warms up where nothing else is said.</summary>
    public const double WarmUp = 10;

    private const int LongestName = 100;

    /// <summary>
    /// Plans the cells: the recipe, with a length of so many steps and a warm-up of a tenth of them, then the settings, then the cell's own.
    /// </summary>
    /// <param name="recipe">A recipe's name or file.</param>
    /// <param name="settings">Settings of all cells.</param>
    /// <param name="grid">What varies.</param>
    /// <param name="steps">Optimiser steps of each cell.</param>
    /// <param name="images">Pictures there are.</param>
    /// <exception cref="ArgumentException">No cell can run; the sentence is the first one's.</exception>
    public static SweepPlan Make(string recipe, IReadOnlyList<string> settings, SweepGrid grid, int steps, int images)
    {
        ArgumentNullException.ThrowIfNull(grid);
        ArgumentNullException.ThrowIfNull(settings);
        if (settings.Any(s => s.TrimStart().StartsWith("train.epochs", StringComparison.Ordinal)))
        {
            throw new ArgumentException("train.epochs cannot be set in a sweep: it follows from --steps");
        }
        Recipe.Load(recipe, settings);  // what is wrong without the grid is wrong with it
        var cells = new List<SweepCell>();
        foreach (var values in grid.Cells())
        {
            string[] own = [.. grid.Axes.Zip(values, (axis, value) => $"{axis.Key}={value}")];
            var name = Named(cells.Count + 1, own);
            try
            {
                var (fitted, parameters) = Fit(recipe, [.. settings, .. own], steps, images);
                cells.Add(new SweepCell(name, values, fitted, null, parameters));
            }
            catch (Exception e) when (e is RecipeException or ArgumentException)
            {
                cells.Add(new SweepCell(name, values, null, Sentence(e), 0));
            }
        }
        return cells.All(c => c.Recipe is null)
            ? throw new ArgumentException($"no cell of the grid can run: {cells[0].Skipped}")
            : new SweepPlan(grid, steps, cells);
    }

    /// <summary>What has to be known before losses of cells are compared; nothing where they can be.</summary>
    public IReadOnlyList<string> Cautions()
    {
        string[] Varied(params string[] prefixes) =>
            [.. Grid.Axes.Where(a => a.Values.Count > 1 && prefixes.Any(p => a.Key.StartsWith(p, StringComparison.Ordinal))).Select(a => a.Key)];
        string[] target = Varied("target.", "loss.", "method", "image.", "encoder.patch"), mask = Varied("mask.");
        var cautions = new List<string>();
        if (target.Length > 0)
        {
            cautions.Add(
                $"losses of cells that differ in {string.Join(", ", target)} measure different things and cannot be compared with each other");
        }
        if (mask.Length > 0)
        {
            cautions.Add(
                $"cells that differ in {string.Join(", ", mask)} have tasks of different difficulty: a lower loss is not a better encoder");
        }
        cautions.AddRange(
            from cell in Cells
            let caution = cell.Recipe?.WarmupWarning()
            where caution is not null
            select $"{cell.Name}: {caution}");
        return cautions;
    }

    private static (Recipe Recipe, long Parameters) Fit(string recipe, string[] settings, int steps, int images)
    {
        var perEpoch = Pretrainer.RequireFits(Recipe.Load(recipe, settings), images);
        var epochs = (steps + perEpoch - 1) / perEpoch;
        var warmUp = steps / (WarmUp * perEpoch);
        var fitted = Recipe.Load(
            recipe, [string.Create(CultureInfo.InvariantCulture, $"train.warmup_epochs={warmUp}"), $"train.epochs={epochs}", .. settings]);
        // Its modules say what a recipe's own check does not know.
        using var store = new ParameterStore();
        Catalog.Create(store.Root, fitted);
        return (fitted, store.TrainedCount);
    }

    private static string Named(int number, string[] settings)
    {
        var text = string.Join('_', settings);
        var safe = new string([.. text.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '=' or '_' or '-' or ',' or '[' or ']' ? c : '-')]);
        return $"{number:D3}_{(safe.Length > LongestName ? safe[..LongestName] : safe)}";
    }

    private static string Sentence(Exception e)
    {
        var end = e is ArgumentException { ParamName: { } name } ? e.Message.LastIndexOf($" (Parameter '{name}')", StringComparison.Ordinal) : -1;
        return end > 0 ? e.Message[..end] : e.Message;
    }
}
