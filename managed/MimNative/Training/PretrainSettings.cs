using MimNative.Data;

namespace MimNative.Training;

/// <summary>Settings of a run that change neither its numbers nor what it learns.</summary>
public sealed record PretrainSettings
{
    /// <summary>Threads that decode and augment pictures.</summary>
    public int Workers { get; init; } = Math.Max(1, Environment.ProcessorCount - 1);

    /// <summary>Makes a picture that cannot be decoded an error instead of skipping it.</summary>
    public bool Strict { get; init; }

    /// <summary>Called once for every picture that is skipped.</summary>
    public Action<SkippedImage>? Skipped { get; init; }

    /// <summary>For tests: whether the batches of the next step are asked for before the results of this one are there; otherwise as the
    /// device needs it.</summary>
    internal bool? RunsAhead { get; init; }
}
