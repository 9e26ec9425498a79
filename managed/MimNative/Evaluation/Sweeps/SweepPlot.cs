using MimNative.Runtime;

namespace MimNative.Evaluation.Sweeps;

/// <summary>
/// The loss at the end of every cell: the first key's values across, evenly spaced in the order in which they were given, and a line for each
/// combination of the others.
/// </summary>
public static class SweepPlot
{
    /// <summary>The plot of what is there so far.</summary>
    public static Image Draw(SweepPlan plan, IReadOnlyList<SweepResult> results)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(results);
        var first = plan.Grid.Axes[0];
        var losses = results.Where(r => r.Status == SweepStatus.Done).ToDictionary(r => r.Cell.Name, r => r.Loss);
        var lines = plan.Cells.GroupBy(c => Name(plan, c)).Select((line, i) => new PlotLine(
            line.Key, [.. line.Select((cell, x) => ((double)x, losses.GetValueOrDefault(cell.Name, double.NaN)))], PlotColour.Of(i))
        {
            HasMarks = true,
        });
        var isComparable = plan.Cautions().All(c => !c.Contains("cannot be compared", StringComparison.Ordinal));
        return LinePlot.Draw(
            new PlotFrame(
                $"loss after {plan.Steps} steps", (-0.3, first.Values.Count - 0.7), PlotFrame.Around(losses.Values),
                [.. first.Values.Select((value, i) => new PlotTick(i, value))])
            {
                XTitle = first.Key + (isComparable ? "" : "  (different targets: do not compare)"),
            },
            [.. lines]);
    }

    // The values of all keys but the first, without the sections of the keys.
    private static string Name(SweepPlan plan, SweepCell cell) => string.Join(
        ' ', plan.Grid.Axes.Zip(cell.Values).Skip(1).Select(p => $"{p.First.Key[(p.First.Key.LastIndexOf('.') + 1)..]}={p.Second}"));
}
