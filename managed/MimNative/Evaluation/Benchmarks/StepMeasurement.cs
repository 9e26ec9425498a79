namespace MimNative.Evaluation.Benchmarks;

/// <summary>What a process tells of the training steps that it timed: ours, or (with less in it) a peer's.</summary>
public sealed record StepMeasurement
{
    /// <summary>Numbers that are trained: equal on both sides, or they did not do the same work.</summary>
    public required long Parameters { get; init; }

    /// <summary>The time of each step.</summary>
    public required IReadOnlyList<double> Milliseconds { get; init; }

    /// <summary>
    /// The most memory that the process ever held (VmHWM), its runtime included; on a GPU the most that it held there.
    /// </summary>
    public required long PeakBytes { get; init; }

    /// <summary>What the process held before it had a model.</summary>
    public long ImportBytes { get; init; }

    /// <summary>Loss of the last step: a sign that it was training.</summary>
    public double Loss { get; init; }

    /// <summary>Threads that were used.</summary>
    public int Threads { get; init; }

    /// <summary>Element type of the arithmetic.</summary>
    public string Precision { get; init; } = "";

    /// <summary>What measured: processor and libraries, or the peer's version and settings.</summary>
    public string Description { get; init; } = "";

    /// <summary>Ours: memory that was known before the first step (parameters, arena, scratch, pictures).</summary>
    public long PlannedBytes { get; init; }

    /// <summary>Ours: managed bytes allocated by a step, on the average.</summary>
    public double AllocatedBytes { get; init; }

    /// <summary>Ours: share of the steps' time outside of native calls.</summary>
    public double OutsideNative { get; init; }

    /// <summary>Ours on a GPU: share of the steps' time in which the device had finished a step and not begun the next.</summary>
    public double? IdleShare { get; init; }

    /// <summary>The times together.</summary>
    public Spread Time() => Spread.Of(Milliseconds);
}
