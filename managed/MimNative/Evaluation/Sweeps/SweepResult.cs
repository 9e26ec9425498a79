using System.Text.Json;
using MimNative.Training;

namespace MimNative.Evaluation.Sweeps;

/// <summary>How far a cell has come.</summary>
public enum SweepStatus
{
    /// <summary>It has not run to its end yet.</summary>
    Waiting,

    /// <summary>It has run to its end.</summary>
    Done,

    /// <summary>Its recipe is none, so it never runs.</summary>
    Skipped,

    /// <summary>Its loss was not finite any more.</summary>
    Failed,
}

/// <summary>What came of a cell.</summary>
/// <param name="Cell">The cell.</param>
/// <param name="Status">How far it has come.</param>
/// <param name="Reason">Why it was skipped or failed.</param>
/// <param name="Steps">Steps done.</param>
/// <param name="FirstLoss">Mean of the first tenth of them.</param>
/// <param name="Loss">Mean of the last tenth of them.</param>
/// <param name="ImagesPerSecond">Median over the steps.</param>
public sealed record SweepResult(
    SweepCell Cell, SweepStatus Status, string? Reason, long Steps, double FirstLoss, double Loss, double ImagesPerSecond)
{
    /// <summary>Reads a cell's result from its run folder.</summary>
    public static SweepResult Of(SweepFolder folder, SweepCell cell, string? failure = null)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(cell);
        if (cell.Recipe is null)
        {
            return new SweepResult(cell, SweepStatus.Skipped, cell.Skipped, 0, double.NaN, double.NaN, double.NaN);
        }
        var path = folder.Of(cell);
        var done = IsDone(folder, cell);
        var (losses, rates) = Metrics(System.IO.Path.Combine(path, "metrics.jsonl"));
        var tenth = Math.Max(1, losses.Count / 10);
        return new SweepResult(
            cell, failure is not null ? SweepStatus.Failed : done ? SweepStatus.Done : SweepStatus.Waiting, failure, losses.Count,
            Mean(losses.Take(tenth)), Mean(losses.TakeLast(tenth)), Median(rates));
    }

    /// <summary>Whether a cell has a checkpoint of its last step.</summary>
    public static bool IsDone(SweepFolder folder, SweepCell cell)
    {
        ArgumentNullException.ThrowIfNull(folder);
        var path = folder.Of(cell);
        return File.Exists(System.IO.Path.Combine(path, "recipe.json")) && RunFolder.Open(path).Latest is { } latest &&
            latest.Step >= folder.Plan.Steps;
    }

    private static (List<double> Losses, List<double> Rates) Metrics(string path)
    {
        List<double> losses = [], rates = [];
        foreach (var line in File.Exists(path) ? File.ReadLines(path) : [])
        {
            using var json = JsonDocument.Parse(line);
            losses.Add(json.RootElement.GetProperty("loss").GetDouble());
            rates.Add(json.RootElement.GetProperty("images_per_second").GetDouble());
        }
        return (losses, rates);
    }

    private static double Mean(IEnumerable<double> values) => values.DefaultIfEmpty(double.NaN).Average();

    private static double Median(List<double> values) =>
        values.Count == 0 ? double.NaN : values.Order().ElementAt(values.Count / 2);
}
