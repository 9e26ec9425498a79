using MimNative.Recipes;

namespace MimNative.Evaluation.Benchmarks;

/// <summary>
/// What one process measures. Its JSON is what both sides are given, <c>mim bench --measure</c> and the peer's script, so that both do
/// the same work.
/// </summary>
public sealed record BenchmarkTask
{
    /// <summary>The case's name.</summary>
    public required string Name { get; init; }

    /// <summary>CPU threads.</summary>
    public required int Threads { get; init; }

    /// <summary>Element type of the arithmetic: <c>f32</c> or <c>bf16</c>.</summary>
    public string Precision { get; init; } = "f32";

    /// <summary>How long to measure, after a first and a warm-up step; at least <see cref="LeastSteps"/> are timed.</summary>
    public double Seconds { get; init; } = 4;

    /// <summary>The sizes of a training step; its batch is images of one step.</summary>
    public required Recipe Recipe { get; init; }

    /// <summary>So many steps are timed however long they take.</summary>
    public const int LeastSteps = 5;
}
