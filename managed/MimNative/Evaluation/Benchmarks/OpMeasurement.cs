using MimNative.Runtime;

namespace MimNative.Evaluation.Benchmarks;

/// <summary>What a process tells of one op.</summary>
/// <param name="Name">The case's name.</param>
/// <param name="Milliseconds">The median of its calls, a quarter of which are below Lower and above Upper.</param>
/// <param name="Lower">The lower quartile.</param>
/// <param name="Upper">The upper quartile.</param>
public sealed record OpTime(string Name, double Milliseconds, double Lower, double Upper);

/// <summary>What a process tells of the ops that it timed: ours, or a peer.</summary>
public sealed record OpMeasurement
{
    /// <summary>The ops.</summary>
    public required IReadOnlyList<OpTime> Ops { get; init; }

    /// <summary>What measured.</summary>
    public string Description { get; init; } = "";
}

/// <summary>One op in several rounds, beside a peer or without one.</summary>
public sealed record OpComparison
{
    /// <summary>The case's name.</summary>
    public required string Name { get; init; }

    /// <summary>Element type of the activations.</summary>
    public required string Precision { get; init; }

    /// <summary>Our time of a call: one round's quartiles, or of several rounds those of their medians.</summary>
    public required Spread Time { get; init; }

    /// <summary>Arithmetic operations, or 0; see <see cref="OpWork"/>.</summary>
    public required double Operations { get; init; }

    /// <summary>Bytes, or 0.</summary>
    public required double Bytes { get; init; }

    /// <summary>The share of the ceiling: of the arithmetic's or of the memory's.</summary>
    public required double Share { get; init; }

    /// <summary>The peer's time of a call.</summary>
    public Spread? PeerTime { get; init; }

    /// <summary>The peer's time divided by ours, of each round; above 1 we are faster.</summary>
    public Spread? TimeRatio { get; init; }

    /// <summary>The rounds of ours and of a peer (empty without one), as comparisons in the order of the cases.</summary>
    public static IReadOnlyList<OpComparison> Of(
        BenchmarkTask task, Ceiling ceiling, IReadOnlyList<OpMeasurement> ours, IReadOnlyList<OpMeasurement> peer)
    {
        ArgumentNullException.ThrowIfNull(task);
        return [.. task.Ops.Select(op => One(op, task, ceiling, TimesOf(op, ours), TimesOf(op, peer)))];
    }

    private static OpComparison One(OpCase op, BenchmarkTask task, Ceiling ceiling, OpTime[] ours, OpTime[] peer)
    {
        var isBf16 = task.Precision == Recipes.Precision.Bf16;
        var work = OpWork.Of(op, isBf16 ? 2 : sizeof(float));
        var time = Together(ours);
        var arithmetic = isBf16 && ceiling.Bf16Gflops > 0 ? ceiling.Bf16Gflops : ceiling.F32Gflops;
        var rate = (work.Operations + work.Bytes) / (time.Median * 1e6);
        return new OpComparison
        {
            Name = op.Name,
            Precision = isBf16 ? "bf16" : "f32",
            Time = time,
            Operations = work.Operations,
            Bytes = work.Bytes,
            Share = rate / (work.Operations > 0 ? arithmetic : ceiling.MemoryGbytes),
            PeerTime = peer.Length == 0 ? null : Together(peer),
            TimeRatio = peer.Length == 0
                ? null
                : Spread.OfRatios([.. peer.Select(p => p.Milliseconds)], [.. ours.Select(o => o.Milliseconds)]),
        };
    }

    private static Spread Together(OpTime[] rounds) => rounds is [var only]
        ? new Spread(only.Milliseconds, only.Lower, only.Upper, only.Lower, only.Upper)
        : Spread.Of(rounds.Select(r => r.Milliseconds));

    private static OpTime[] TimesOf(OpCase op, IReadOnlyList<OpMeasurement> rounds) =>
    [
        .. rounds.Select(r => r.Ops.FirstOrDefault(o => o.Name == op.Name)
            ?? throw new InvalidDataException($"the peer measured no op '{op.Name}'")),
    ];
}
