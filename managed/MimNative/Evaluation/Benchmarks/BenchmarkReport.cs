using MimNative.Runtime;

namespace MimNative.Evaluation.Benchmarks;

/// <summary>Everything that a run of <c>mim bench</c> found.</summary>
public sealed record BenchmarkReport
{
    /// <summary>Processor, instruction set, libraries.</summary>
    public required string Machine { get; init; }

    /// <summary>The runtime and the system.</summary>
    public required string Runtime { get; init; }

    /// <summary>When the run began.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>Variables that decide how OpenMP's threads behave, where they are set.</summary>
    public required IReadOnlyDictionary<string, string> Environment { get; init; }

    /// <summary>Where it ran: <c>cpu</c>, <c>cuda:0</c>.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>CPU threads.</summary>
    public required int Threads { get; init; }

    /// <summary>What the machine can do at most, measured in this run.</summary>
    public required Ceiling Ceiling { get; init; }

    /// <summary>Single ops.</summary>
    public IReadOnlyList<OpComparison> Ops { get; init; } = [];

    /// <summary>Whole training steps.</summary>
    public IReadOnlyList<StepComparison> Steps { get; init; } = [];

    /// <summary>Steps with 1, 2, ... threads.</summary>
    public IReadOnlyList<StepComparison> Scaling { get; init; } = [];
}
