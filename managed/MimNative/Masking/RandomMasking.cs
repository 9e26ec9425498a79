using MimNative.Runtime;

namespace MimNative.Masking;

/// <summary>Which patches of each image of a batch are seen, on the device.</summary>
/// <param name="IdsKeep">(B, K) i32: the visible patches, in shuffle order.</param>
/// <param name="IdsMasked">(B, L - K) i32: the removed ones.</param>
/// <param name="IdsRestore">(B, L) i32: the inverse of the shuffle.</param>
/// <param name="Mask">(B, L) f32: 1 = removed.</param>
public readonly record struct TokenMask(Tensor IdsKeep, Tensor IdsMasked, Tensor IdsRestore, Tensor Mask);

/// <summary>
/// MAE's random masking (He et al. 2022, section 3): each image keeps a random share of its patches, or, as LSMAE does, of squares of them.
/// </summary>
/// <param name="ratio">Share of the patches that is removed, in (0, 1).</param>
/// <param name="units">What is kept or removed together.</param>
public sealed class RandomMasking(double ratio, MaskUnits units)
{
    /// <summary>Every patch for itself, of so many.</summary>
    public RandomMasking(double ratio, int patches)
        : this(ratio, new MaskUnits(1, patches, 1))
    {
    }

    /// <summary>Visible patches of an image.</summary>
    public int Keep { get; } = MaskCounts.MaeKept(units.Patches, ratio);

    /// <summary>Masks for the samples of a batch: a function of (seed, epoch, sample) alone.</summary>
    public TokenMask Sample(in BatchKey key, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        var samples = key.Samples.Span;
        if (units.Side == 1)
        {
            var numbers = step.FromHost<long>(samples, samples.Length);
            return FromNoise(Ops.RandomUniform(numbers, units.Patches, RandomStream.Mask, key.Epoch, key.Seed, step), step);
        }
        var orders = step.Rent<int>(samples.Length * units.Count);
        for (var i = 0; i < samples.Length; i++)
        {
            new SampleRandom(RandomStream.Mask, key, samples[i]).Order(orders.AsSpan(i * units.Count, units.Count));
        }
        return FromUnitOrders(orders, step);
    }

    /// <summary>The patches that the mask of the first sample removes.</summary>
    public bool[] SampleHidden(in BatchKey key)
    {
        var order = new int[units.Count];
        new SampleRandom(RandomStream.Mask, key, key.Samples.Span[0]).Order(order);
        var patches = new int[units.Patches];
        units.Order(order, patches);
        var hidden = new bool[units.Patches];
        foreach (var patch in patches.AsSpan(Keep))
        {
            hidden[patch] = true;
        }
        return hidden;
    }

    /// <summary>
    /// Masks from orders of the units (B U), one image after the other: the first patches of the first units are kept, so that the last
    /// unit may be kept in part (upstream's way to the same count in every image).
    /// </summary>
    public TokenMask FromUnitOrders(ReadOnlySpan<int> orders, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        var batch = orders.Length / units.Count;
        var patches = step.Rent<int>(units.Patches);
        var ranks = step.Rent<float>(batch * units.Patches);
        for (var b = 0; b < batch; b++)
        {
            units.Order(orders.Slice(b * units.Count, units.Count), patches);
            for (var rank = 0; rank < patches.Length; rank++)
            {
                ranks[(b * patches.Length) + patches[rank]] = rank;
            }
        }
        return FromNoise(step.FromHost<float>(ranks, batch, units.Patches), step);
    }

    /// <summary>A random mask of the first sample that hides so many patches.</summary>
    internal static bool[] Hidden(in BatchKey key, int patches, int count)
    {
        var order = new int[patches];
        new SampleRandom(RandomStream.Mask, key, key.Samples.Span[0]).Order(order);
        var hidden = new bool[patches];
        foreach (var patch in order.AsSpan(0, count))
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
