using MimNative.Runtime;

namespace MimNative.Data;

/// <summary>The random choices of one drawn picture, one after the other, from (seed, picture) alone.</summary>
internal sealed class PictureDraws(long seed, int picture)
{
    private readonly float[] _uniforms = new float[64];
    private long _drawn;

    /// <summary>From 0 up to 1.</summary>
    public float Next()
    {
        int place = (int)(_drawn % _uniforms.Length);
        if (place == 0)
        {
            Ops.RandomUniform(_uniforms, _drawn, picture, RandomStream.Picture, epoch: 0, seed);
        }
        ++_drawn;
        return _uniforms[place];
    }

    /// <summary>From low up to high.</summary>
    public float Between(float low, float high) => low + (high - low) * Next();

    /// <summary>A whole number from 0 up to, not including, count.</summary>
    public int Pick(int count) => (int)((double)Next() * count);
}
