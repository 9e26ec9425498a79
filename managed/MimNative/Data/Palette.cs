namespace MimNative.Data;

/// <summary>A run of colours from one to another, even to the eye: mixed in the OKLab space (Ottosson 2020).</summary>
internal sealed class Palette
{
    private const int Steps = 64;

    private readonly float[] _colours = new float[3 * (Steps + 1)];  // sRGB, 0 to 1

    /// <summary>From lightness, chroma and hue (in turns) of one colour to those of the other.</summary>
    public Palette((float Lightness, float Chroma, float Hue) from, (float Lightness, float Chroma, float Hue) to)
    {
        var (fromSin, fromCos) = MathF.SinCos(from.Hue * MathF.Tau);
        var (toSin, toCos) = MathF.SinCos(to.Hue * MathF.Tau);
        for (int i = 0; i <= Steps; ++i)
        {
            float t = i / (float)Steps;
            ToSrgb(float.Lerp(from.Lightness, to.Lightness, t),
                   float.Lerp(from.Chroma * fromCos, to.Chroma * toCos, t),
                   float.Lerp(from.Chroma * fromSin, to.Chroma * toSin, t), _colours.AsSpan(3 * i, 3));
        }
    }

    /// <summary>The colour at t, 0 to 1.</summary>
    public ReadOnlySpan<float> At(float t) => _colours.AsSpan(3 * (int)(Math.Clamp(t, 0f, 1f) * Steps + 0.5f), 3);

    private static void ToSrgb(float lightness, float a, float b, Span<float> colour)
    {
        float l = Cube(lightness + 0.39633778f * a + 0.21580376f * b);
        float m = Cube(lightness - 0.10556135f * a - 0.06385417f * b);
        float s = Cube(lightness - 0.08948418f * a - 1.29148555f * b);
        colour[0] = Gamma(4.07674166f * l - 3.30771159f * m + 0.23096993f * s);
        colour[1] = Gamma(-1.26843800f * l + 2.60975740f * m - 0.34131940f * s);
        colour[2] = Gamma(-0.00419609f * l - 0.70341861f * m + 1.70761470f * s);
    }

    private static float Cube(float value) => value * value * value;

    private static float Gamma(float linear) => Math.Clamp(
        linear <= 0.0031308f ? 12.92f * linear : 1.055f * MathF.Pow(linear, 1 / 2.4f) - 0.055f, 0f, 1f);
}
