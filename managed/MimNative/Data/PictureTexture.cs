namespace MimNative.Data;

/// <summary>A pattern in two colours, turned and scaled at random.</summary>
internal sealed class PictureTexture
{
    private const int Kinds = 9;

    private readonly Palette _palette;
    private readonly ValueNoise _noise;
    private readonly int _kind;
    private readonly float _scale;
    private readonly float _sin;
    private readonly float _cos;
    private readonly float _phase;
    private readonly float _duty;
    private readonly float _warp;
    private readonly float _edge;

    /// <param name="draws">Where the random choices come from.</param>
    /// <param name="palette">The two colours.</param>
    /// <param name="scale">Pattern periods in the picture's half side, about.</param>
    /// <param name="pixel">The side of a pixel in the same measure as the coordinates: edges are this soft.</param>
    public PictureTexture(PictureDraws draws, Palette palette, float scale, float pixel)
    {
        _palette = palette;
        _kind = draws.Pick(Kinds);
        _scale = scale;
        (_sin, _cos) = MathF.SinCos(draws.Next() * MathF.Tau);
        _phase = draws.Next();
        _duty = draws.Between(0.35f, 0.65f);
        _warp = draws.Pick(2) == 0 ? 0 : draws.Between(0.1f, 0.5f);
        _noise = new ValueNoise((uint)draws.Pick(1 << 24));
        _edge = MathF.Max(pixel * scale, 0.02f);
    }

    /// <summary>The colour at a point, sRGB 0 to 1.</summary>
    public void At(float x, float y, Span<float> colour)
    {
        float u = (x * _cos + y * _sin) * _scale + _phase, v = (y * _cos - x * _sin) * _scale + _phase;
        if (_warp > 0)
        {
            float bend = _noise.At(u * 0.7f, v * 0.7f) - 0.5f;
            (u, v) = (u + _warp * bend, v - _warp * bend);
        }
        // uneven light, so that no surface is flat
        float shade = 0.88f + 0.24f * _noise.At(x * 1.7f + 31, y * 1.7f + 11);
        var mixed = _palette.At(Pattern(u, v));
        for (int c = 0; c < 3; ++c)
        {
            colour[c] = mixed[c] * shade;
        }
    }

    private float Pattern(float u, float v) => _kind switch
    {
        0 => Band(u),                                                        // stripes
        1 => MathF.Abs(Band(u) - Band(v)),                                   // checks
        2 => 0.5f * (Band(u) + Band(v)),                                     // tartan
        3 => Dots(u, v),
        4 => Bricks(u, v),
        5 => Band(u + 0.35f * MathF.Sin(v * MathF.Tau * 0.5f)),              // waves
        6 => 1.6f * _noise.Fractal(u * 0.8f, v * 0.8f) - 0.3f,               // clouds
        7 => Wood(u, v),
        _ => 0.5f + 0.28f * u / _scale + 0.5f * (_noise.Fractal(u * 3, v * 3) - 0.5f),  // sand on a slope
    };

    // 1 for the share _duty of each period, 0 for the rest, with edges about a pixel wide.
    private float Band(float u)
    {
        float inside = _duty / 2 - MathF.Abs(u - MathF.Floor(u) - 0.5f);
        return Math.Clamp(inside / _edge + 0.5f, 0f, 1f);
    }

    // Rings around a far centre, stretched along the grain.
    private float Wood(float u, float v)
    {
        float ring = 1.4f * MathF.Sqrt(u * u + 0.12f * v * v) + 0.9f * _noise.At(u, v);
        return 0.5f + 0.5f * MathF.Sin(MathF.Tau * ring);
    }

    private float Dots(float u, float v)
    {
        float row = MathF.Floor(v);
        u += 0.5f * ((int)row & 1);
        float dx = u - MathF.Floor(u) - 0.5f, dy = v - row - 0.5f;
        return Math.Clamp((0.6f * _duty - MathF.Sqrt(dx * dx + dy * dy)) / _edge + 0.5f, 0f, 1f);
    }

    // Rows of stones half a stone apart, each stone a little different; joints in the other colour.
    private float Bricks(float u, float v)
    {
        float row = MathF.Floor(v);
        u = 0.5f * u + 0.5f * ((int)row & 1);
        float column = MathF.Floor(u);
        float toJoint = MathF.Min(0.5f - MathF.Abs(v - row - 0.5f), 2 * (0.5f - MathF.Abs(u - column - 0.5f)));
        float stone = 0.55f + 0.45f * _noise.Hash((int)column, (int)row);
        return stone * Math.Clamp((toJoint - 0.08f) / _edge + 0.5f, 0f, 1f);
    }
}
