using MimNative.Data;
using MimNative.Runtime;
using MimNative.Training;

namespace MimNative.Evaluation.Sweeps;

/// <summary>Runs the cells of a sweep one after the other; those that are done stay as they are, an unfinished one goes on.</summary>
/// <param name="folder">The sweep.</param>
/// <param name="source">The pictures.</param>
/// <param name="dataPath">Where they are.</param>
public sealed class Sweep(SweepFolder folder, IImageSource source, string dataPath)
{
    private readonly Dictionary<string, string> _failures = [];

    /// <summary>Steps between checkpoints of a cell.</summary>
    public long CheckpointEvery { get; init; } = 100;

    /// <summary>What has come of every cell so far.</summary>
    public IReadOnlyList<SweepResult> Results =>
        [.. folder.Plan.Cells.Select(cell => SweepResult.Of(folder, cell, _failures.GetValueOrDefault(cell.Name)))];

    /// <summary>Runs what is left to be run, and writes the results after each cell.</summary>
    /// <param name="context">The device.</param>
    /// <param name="pretrain">Settings of the loop.</param>
    /// <param name="begins">Called before a cell runs.</param>
    /// <param name="stepDone">Called after each step of a cell.</param>
    /// <param name="cancellation">Stops after the step at hand, which is saved.</param>
    /// <returns>Whether the sweep came to its end; false where it was cancelled.</returns>
    public bool Run(
        Context context, PretrainSettings pretrain, Action<SweepCell>? begins, Action<StepReport>? stepDone, CancellationToken cancellation)
    {
        Write();
        foreach (var cell in folder.Plan.Cells.Where(c => c.Recipe is not null && !SweepResult.IsDone(folder, c)))
        {
            if (cancellation.IsCancellationRequested)
            {
                return false;
            }
            begins?.Invoke(cell);
            var finished = Run(cell, context, pretrain, stepDone, cancellation);
            Write();
            if (!finished)
            {
                return false;
            }
        }
        return true;
    }

    private bool Run(
        SweepCell cell, Context context, PretrainSettings pretrain, Action<StepReport>? stepDone, CancellationToken cancellation)
    {
        var path = folder.Of(cell);
        var run = File.Exists(Path.Combine(path, "recipe.json")) ? RunFolder.Open(path) : RunFolder.Create(path, cell.Recipe!, dataPath);
        var settings = new RunSettings { CheckpointEvery = CheckpointEvery, KeepLast = 1, StopAfter = folder.Plan.Steps };
        using var training = new PretrainRun(run, source, context, pretrain, settings);
        try
        {
            return training.Train(
                report => stepDone?.Invoke(report with { TotalSteps = folder.Plan.Steps }), epochDone: null, cancellation);
        }
        catch (NotFiniteNumberException e)
        {
            // a result like others: this combination does not train
            _failures[cell.Name] = e.Message;
            return true;
        }
    }

    private void Write()
    {
        var results = Results;
        folder.Write("results.json", SweepTable.Json(folder, results));
        folder.Write("results.csv", SweepTable.Csv(folder.Plan, results));
        using var plot = SweepPlot.Draw(folder.Plan, results);
        folder.Write("results.png", plot.EncodePng());
    }
}
