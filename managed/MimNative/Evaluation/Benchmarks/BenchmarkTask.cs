using MimNative.Recipes;

namespace MimNative.Evaluation.Benchmarks;

/// <summary>
/// What one process measures: a training step, or ops one after the other. Its JSON is what both sides are given, <c>mim bench --measure</c>
/// and the peer's script, so that both do the same work.
/// </summary>
public sealed record BenchmarkTask
{
    /// <summary>So many steps or calls are timed however long they take.</summary>
    public const int LeastRepetitions = 5;

    /// <summary>The case's name.</summary>
    public required string Name { get; init; }

    /// <summary>Where it runs: <c>cpu</c>, <c>cuda:0</c>.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>CPU threads.</summary>
    public required int Threads { get; init; }

    /// <summary>Element type of the arithmetic.</summary>
    public required Precision Precision { get; init; }

    /// <summary>How long to measure a step or an op, after its warm-up; see <see cref="LeastRepetitions"/>.</summary>
    public required double Seconds { get; init; }

    /// <summary>The sizes of a training step, its batch the images of one step; absent for ops.</summary>
    public Recipe? Recipe { get; init; }

    /// <summary>The ops; empty for a training step.</summary>
    public IReadOnlyList<OpCase> Ops { get; init; } = [];
}
