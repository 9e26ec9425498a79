using System.Buffers;
using System.Runtime.CompilerServices;
using MimNative.Runtime;

namespace MimNative.Masking;

/// <summary>
/// Random numbers of one sample, one after the other: functions of (seed, stream, epoch, sample) alone. A value that changes with every
/// draw: hand it on by reference.
/// </summary>
internal struct SampleRandom(RandomStream stream, BatchKey key, long sample)
{
    private const int Ahead = 64;

    private Values _values;
    private long _drawn;

    /// <summary>The next number in [0, 1).</summary>
    public float Next()
    {
        var place = (int)(_drawn % Ahead);
        if (place == 0)
        {
            Ops.RandomUniform(_values, _drawn, sample, stream, key.Epoch, key.Seed);
        }
        _drawn++;
        return _values[place];
    }

    /// <summary>A whole number from 0 to below <paramref name="count"/>.</summary>
    public int Below(int count) => Math.Min((int)(Next() * count), count - 1);

    /// <summary>A random order of 0, 1, ...: the places of sorted random numbers.</summary>
    public void Order(Span<int> order)
    {
        var pooled = ArrayPool<float>.Shared.Rent(order.Length);
        var noise = pooled.AsSpan(0, order.Length);
        for (var i = 0; i < order.Length; i++)
        {
            (noise[i], order[i]) = (Next(), i);
        }
        noise.Sort(order);
        ArrayPool<float>.Shared.Return(pooled);
    }

    [InlineArray(Ahead)]
    private struct Values
    {
        private float _first;
    }
}
