using MimNative.Runtime;

namespace MimNative.Data;

/// <summary>
/// The order in which one epoch visits the samples: a permutation that depends on (count, seed, epoch) alone.
/// </summary>
/// <remarks>
/// Fisher-Yates from the last position down. The partner of position i is floor(v * (i + 1) / 2^48) with v of 48 bits
/// from two uniform numbers of the stream <see cref="RandomStream.Order"/>, so no sample is favoured by more than
/// count / 2^48.
/// </remarks>
public sealed class EpochOrder
{
    private readonly int[] _samples;

    public EpochOrder(long count, long seed, long epoch)
    {
        if (count is < 1 || count > Array.MaxLength)
        {
            throw new ArgumentOutOfRangeException(
                nameof(count), count, $"An order needs 1 to {Array.MaxLength} samples.");
        }
        Epoch = epoch;
        _samples = new int[count];
        for (int i = 0; i < _samples.Length; ++i)
        {
            _samples[i] = i;
        }
        Span<float> uniforms = stackalloc float[1024];
        for (int i = _samples.Length - 1, used = uniforms.Length; i > 0; --i, used += 2)
        {
            if (used == uniforms.Length)
            {
                long first = 2L * (_samples.Length - 1 - i);
                Ops.RandomUniform(uniforms, first, sample: 0, RandomStream.Order, epoch, seed);
                used = 0;
            }
            int partner = Below(i + 1, uniforms.Slice(used, 2));
            (_samples[i], _samples[partner]) = (_samples[partner], _samples[i]);
        }
    }

    /// <summary>Which epoch this is.</summary>
    public long Epoch { get; }

    /// <summary>How many samples there are.</summary>
    public long Count => _samples.Length;

    /// <summary>The sample at a position of the epoch.</summary>
    public long this[long position] => _samples[position];

    /// <summary>A whole number from 0 to below <paramref name="count"/>, of two uniform numbers of 24 bits.</summary>
    internal static int Below(int count, ReadOnlySpan<float> uniforms)
    {
        ulong value = ((ulong)(uniforms[0] * 16777216f) << 24) + (ulong)(uniforms[1] * 16777216f);
        return (int)((UInt128)value * (ulong)count >> 48);
    }
}
