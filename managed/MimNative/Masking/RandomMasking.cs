using MimNative.Runtime;

namespace MimNative.Masking;

/// <summary>Which patches of each image of a batch are seen, on the device.</summary>
/// <param name="IdsKeep">(B, K) i32: the visible patches, in shuffle order.</param>
/// <param name="IdsMasked">(B, L - K) i32: the removed ones.</param>
/// <param name="IdsRestore">(B, L) i32: the inverse of the shuffle.</param>
/// <param name="Mask">(B, L) f32: 1 = removed.</param>
public readonly record struct TokenMask(Tensor IdsKeep, Tensor IdsMasked, Tensor IdsRestore, Tensor Mask);

/// <summary>MAE's random masking (He et al. 2022, section 3): each image keeps a random share of its patches.</summary>
/// <param name="ratio">Share of the patches that is removed, in (0, 1).</param>
/// <param name="patches">Patches of an image.</param>
public sealed class RandomMasking(double ratio, int patches)
{
    /// <summary>Visible patches of an image.</summary>
    public int Keep { get; } = MaskCounts.MaeKept(patches, ratio);

    /// <summary>Masks for the samples of a batch: a function of (seed, epoch, sample) alone.</summary>
    public TokenMask Sample(in BatchKey key, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        var samples = step.FromHost<long>(key.Samples.Span, key.Samples.Length);
        return FromNoise(Ops.RandomUniform(samples, patches, RandomStream.Mask, key.Epoch, key.Seed, step), step);
    }

    /// <summary>The patches that the mask of the first sample removes.</summary>
    public bool[] SampleHidden(in BatchKey key) => Hidden(key, patches, patches - Keep, keepsSmallest: true);

    /// <summary>A random mask of the first sample that hides so many patches.</summary>
    internal static bool[] Hidden(in BatchKey key, int patches, int count, bool keepsSmallest = false)
    {
        var order = new int[patches];
        new SampleRandom(RandomStream.Mask, key, key.Samples.Span[0]).Order(order);
        var hidden = new bool[patches];
        foreach (var patch in keepsSmallest ? order.AsSpan(patches - count) : order.AsSpan(0, count))
        {
            hidden[patch] = true;
        }
        return hidden;
    }

    /// <summary>Masks from noise (B, L): the smallest values are kept.</summary>
    public TokenMask FromNoise(Tensor noise, Step step) => FromNoise(noise, Keep, step);

    internal static TokenMask FromNoise(Tensor noise, long keep, Step step)
    {
        if (keep < 1 || keep >= noise[1])
        {
            throw new ArgumentException($"a mask keeps {keep} of {noise[1]} patches, expected at least 1 kept and 1 removed");
        }
        var (idsKeep, idsMasked, idsRestore, mask) = Ops.MaskFromNoise(noise, keep, step);
        return new TokenMask(idsKeep, idsMasked, idsRestore, mask);
    }
}
