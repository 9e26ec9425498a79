using MimNative.Runtime;

namespace MimNative.Masking;

/// <summary>Random numbers of one sample, one after the other: functions of (seed, stream, epoch, sample) alone.</summary>
internal sealed class SampleRandom(RandomStream stream, BatchKey key, long sample)
{
    private readonly float[] _values = new float[64];
    private long _drawn;

    /// <summary>The next number in [0, 1).</summary>
    public float Next()
    {
        var place = (int)(_drawn % _values.Length);
        if (place == 0)
        {
            Ops.RandomUniform(_values, _drawn, sample, stream, key.Epoch, key.Seed);
        }
        _drawn++;
        return _values[place];
    }

    /// <summary>A whole number from 0 to below <paramref name="count"/>.</summary>
    public int Below(int count) => Math.Min((int)(Next() * count), count - 1);

    /// <summary>A random order of 0 .. count - 1: the places of sorted random numbers.</summary>
    public int[] Order(int count)
    {
        var noise = new float[count];
        var order = new int[count];
        for (var i = 0; i < count; i++)
        {
            (noise[i], order[i]) = (Next(), i);
        }
        Array.Sort(noise, order);
        return order;
    }
}
