using MimNative.Runtime;

namespace MimNative.Data;

/// <summary>
/// The samples that may stand in for one that cannot be decoded, in the order in which they are tried: a function of (count, seed, epoch,
/// sample) alone. How pictures are put into batches has no part in it, so a large batch and small ones that are accumulated see the same.
/// </summary>
/// <remarks>
/// They are a walk over all samples from a random one in steps of a random length that has no divisor in common with their count: each is
/// visited once. Every damaged picture has its own walk, and another one each epoch, so that no good picture stands in for many.
/// </remarks>
internal readonly struct StandIns
{
    private readonly long _count, _first, _stride;

    /// <summary>For a sample of an epoch.</summary>
    public StandIns(int count, long seed, long epoch, int sample)
    {
        Span<float> uniforms = stackalloc float[4];
        Ops.RandomUniform(uniforms, first: 0, sample, RandomStream.StandIn, epoch, seed);
        _count = count;
        _first = EpochOrder.Below(count, uniforms[..2]);
        _stride = 1 + EpochOrder.Below(Math.Max(1, count - 1), uniforms[2..]);
        while (CommonDivisor(_stride, count) != 1)
        {
            ++_stride;  // count - 1 at the latest has none
        }
    }

    /// <summary>The sample to try after so many others.</summary>
    public int this[int tried] => (int)((_first + (tried * _stride)) % _count);

    private static long CommonDivisor(long a, long b)
    {
        while (b != 0)
        {
            (a, b) = (b, a % b);
        }
        return a;
    }
}
