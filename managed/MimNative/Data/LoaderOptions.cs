namespace MimNative.Data;

/// <summary>How an <see cref="ImageLoader"/> works.</summary>
public sealed record LoaderOptions
{
    /// <summary>The largest <see cref="Workers"/>.</summary>
    public const int MostWorkers = 1024;

    /// <summary>Pictures in a batch.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Decides the order of the samples and their crops, together with the epoch.</summary>
    public long Seed { get; init; }

    /// <summary>Threads that decode. Their number changes the speed and nothing else.</summary>
    public int Workers { get; init; } = Math.Max(1, Environment.ProcessorCount - 1);

    /// <summary>Batches made ahead of the one in use.</summary>
    public int Prefetch { get; init; } = 2;

    /// <summary>Makes the first picture that cannot be decoded an error, instead of skipping it.</summary>
    public bool Strict { get; init; }

    /// <summary>The epoch to begin with.</summary>
    public long StartEpoch { get; init; }

    /// <summary>The batch of that epoch to begin with.</summary>
    public long StartBatch { get; init; }

    /// <summary>Told once about each picture that is skipped, from a worker thread; calls never overlap.</summary>
    public Action<SkippedImage>? Skipped { get; init; }
}

/// <summary>A picture that could not be used, and why.</summary>
public sealed record SkippedImage(int Sample, string Name, string Reason);
