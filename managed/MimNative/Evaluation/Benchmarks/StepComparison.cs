namespace MimNative.Evaluation.Benchmarks;

/// <summary>A case, measured in several rounds, beside a peer or without one; round by round, each in a process of its own.</summary>
public sealed record StepComparison
{
    /// <summary>The case's name.</summary>
    public required string Name { get; init; }

    /// <summary>Images of a step.</summary>
    public required int Batch { get; init; }

    /// <summary>Operations of a step; see <see cref="StepWork"/>.</summary>
    public required double Operations { get; init; }

    /// <summary>Our rounds.</summary>
    public required IReadOnlyList<StepMeasurement> Ours { get; init; }

    /// <summary>The peer's rounds; empty without one.</summary>
    public IReadOnlyList<StepMeasurement> Peer { get; init; } = [];

    /// <summary>Share of oneDNN's time in reorders, from a run of its own; see <see cref="MeasuringProcess.ReorderShare"/>.</summary>
    public double? ReorderShare { get; init; }

    /// <summary>Our time of a step: one round's quartiles, or of several rounds those of their medians.</summary>
    public Spread Time => TimeOf(Ours);

    /// <summary>The peer's time of a step.</summary>
    public Spread? PeerTime => Peer.Count == 0 ? null : TimeOf(Peer);

    /// <summary>The peer's time divided by ours, of each round; above 1 we are faster.</summary>
    public Spread? TimeRatio => Peer.Count == 0 ? null : Spread.OfRatios(Medians(Peer), Medians(Ours));

    /// <summary>Our peak memory divided by the peer's, of each round; below 1 we take less.</summary>
    public Spread? MemoryRatio => Peer.Count == 0 ? null : Spread.OfRatios(Peaks(Ours), Peaks(Peer));

    private static Spread TimeOf(IReadOnlyList<StepMeasurement> rounds) =>
        rounds.Count == 1 ? rounds[0].Time() : Spread.Of(Medians(rounds));

    private static double[] Medians(IReadOnlyList<StepMeasurement> rounds) => [.. rounds.Select(r => r.Time().Median)];

    private static double[] Peaks(IReadOnlyList<StepMeasurement> rounds) => [.. rounds.Select(r => (double)r.PeakBytes)];
}
