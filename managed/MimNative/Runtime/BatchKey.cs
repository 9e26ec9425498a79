namespace MimNative.Runtime;

/// <summary>What the random numbers of a batch are functions of, and of nothing else.</summary>
/// <param name="Samples">The numbers of its samples in the data.</param>
/// <param name="Seed">The run's seed.</param>
/// <param name="Epoch">The epoch.</param>
public readonly record struct BatchKey(ReadOnlyMemory<long> Samples, long Seed, long Epoch);
