using MimNative.Runtime;

namespace MimNative.Masking;

/// <summary>A mask that somebody drew: the same for every image of a batch.</summary>
public static class HandMadeMask
{
    /// <summary>The mask that removes the given patches, row-major over the grid.</summary>
    /// <exception cref="ArgumentException">All or none of the patches are removed.</exception>
    public static TokenMask FromPatches(ReadOnlySpan<bool> removed, int batch, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        // Noise 0 for what is kept and 1 for what is not: the stable sort keeps both in order.
        var noise = new float[batch * removed.Length];
        var keep = 0;
        for (var i = 0; i < removed.Length; i++)
        {
            keep += removed[i] ? 0 : 1;
            for (var b = 0; b < batch; b++)
            {
                noise[b * removed.Length + i] = removed[i] ? 1 : 0;
            }
        }
        return RandomMasking.FromNoise(step.FromHost<float>(noise, batch, removed.Length), keep, step);
    }
}
