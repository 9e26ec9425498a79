using MimNative.Export;
using MimNative.Methods;
using MimNative.Recipes;
using MimNative.Runtime;

namespace MimNative.Training;

/// <summary>A checkpoint and what it takes on the disk.</summary>
/// <param name="Checkpoint">The checkpoint.</param>
/// <param name="Bytes">The size of its files.</param>
public sealed record SavedCheckpoint(Checkpoint Checkpoint, long Bytes);

/// <summary>
/// What is known of a run from its folder alone, while it is trained too: nothing is loaded, locked or written. What the folder does not
/// tell is null, NaN or empty; what in it cannot be read is among the <see cref="Problems"/>.
/// </summary>
public sealed class RunSummary
{
    private const int FirstSkipped = 5;

    private readonly List<string> _problems = [];

    private RunSummary(RunFolder folder)
    {
        Folder = folder;
        Metrics = Try(() => MetricsSummary.Read(folder.MetricsFile, Recipe.EffectiveBatch())) ?? MetricsSummary.Read("", 1);
        var checkpoints = Try(() => folder.Checkpoints().All()) ?? [];
        State = checkpoints.Reverse().Select(c => Try(c.ReadState)).FirstOrDefault(s => s is not null);
        Checkpoints = [.. checkpoints.Select(c => Try(() => new SavedCheckpoint(c, c.Bytes))).OfType<SavedCheckpoint>()];
        DataPath = Try(() => folder.DataPath);
        IsTraining = RunLock.IsHeld(folder.Path);
        var skipped = Try(() => SkippedList.Names(folder.SkippedFile).ToList()) ?? [];
        (SkippedCount, Skipped) = (skipped.Count, [.. skipped.Take(FirstSkipped)]);
        CountParameters();
        AddProblemsOfMetrics();
    }

    /// <summary>The run.</summary>
    public RunFolder Folder { get; }

    /// <summary>Its recipe.</summary>
    public Recipe Recipe => Folder.Recipe;

    /// <summary>What cannot be read, a sentence each.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <summary>Trained parameters, encoder and decoder; 0 where the recipe makes no model.</summary>
    public long Parameters { get; private set; }

    /// <summary>Those of them that remain after pretraining.</summary>
    public long EncoderParameters { get; private set; }

    /// <summary>Where the pictures are.</summary>
    public string? DataPath { get; }

    /// <summary>How many pictures there are; known from the first checkpoint on.</summary>
    public int? Images => State is null ? null : DataFingerprint.CountOf(State.Data);

    /// <summary>The checkpoints, the oldest first.</summary>
    public IReadOnlyList<SavedCheckpoint> Checkpoints { get; }

    /// <summary>The newest state that can be read.</summary>
    public RunState? State { get; }

    /// <summary>What the steps reported.</summary>
    public MetricsSummary Metrics { get; }

    /// <summary>Whether a process trains the run now.</summary>
    public bool IsTraining { get; }

    /// <summary>Pictures that were skipped.</summary>
    public int SkippedCount { get; }

    /// <summary>The first few of them.</summary>
    public IReadOnlyList<string> Skipped { get; }

    /// <summary>Steps done. More than the newest checkpoint has where the run goes on, or was ended without saving.</summary>
    public long Steps => Math.Max(State?.Step ?? 0, Metrics.LastStep);

    /// <summary>Steps of an epoch; known from the first checkpoint on.</summary>
    public long? StepsPerEpoch => Images / Recipe.Train.Batch / Recipe.Train.Accumulation is > 0 and var steps ? steps : null;

    /// <summary>Steps of the whole run.</summary>
    public long? TotalSteps => StepsPerEpoch * Recipe.Train.Epochs;

    /// <summary>Whole epochs done.</summary>
    public long? Epochs => Steps / StepsPerEpoch;

    /// <summary>Whether all steps are done and saved.</summary>
    public bool IsDone => State?.Step >= TotalSteps;

    /// <summary>Seconds that the steps left will take, at the speed of the latest ones; NaN where that is not known.</summary>
    public double SecondsLeft =>
        IsDone ? 0 : TotalSteps is { } total ? Math.Max(0, total - Steps) * Metrics.SecondsPerStepLately : double.NaN;

    /// <summary>Reads a run's folder.</summary>
    public static RunSummary Of(RunFolder folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        return new RunSummary(folder);
    }

    private void CountParameters()
    {
        using var store = new ParameterStore();
        var method = Try(() => Catalog.Create(store.Root, Recipe));
        if (method is not null)
        {
            Parameters = store.TrainedCount;
            EncoderParameters = store.Parameters.Where(p => p.IsTrainable && method.EncoderName(p.Name) is not null).Sum(p => p.Count);
        }
    }

    private void AddProblemsOfMetrics()
    {
        if (Metrics.DamagedLines > 0)
        {
            var lines = Metrics.DamagedLines == 1 ? "1 line is damaged and was" : $"{Metrics.DamagedLines} lines are damaged and were";
            _problems.Add($"{Folder.MetricsFile}: {lines} passed over");
        }
        if (Metrics.IsTorn && !IsTraining)
        {
            _problems.Add($"{Folder.MetricsFile}: the last line was not written to its end; a resumed run repeats its step");
        }
    }

    private T? Try<T>(Func<T> read) where T : class
    {
        try
        {
            return read();
        }
        catch (Exception failure) when (failure is InvalidFileException or ArgumentException || DiskFailure.Is(failure))
        {
            _problems.Add(failure.Message);
            return null;
        }
    }
}
