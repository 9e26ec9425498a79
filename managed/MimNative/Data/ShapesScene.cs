namespace MimNative.Data;

/// <summary>
/// Everything that was chosen for one picture. Coordinates have the centre at 0 and reach 1 on the shorter side.
/// </summary>
internal sealed class ShapesScene
{
    private readonly ShapeClass _shape;
    private readonly int _height;
    private readonly int _width;
    private readonly float _pixel;     // side of a pixel
    private readonly float _size;      // radius of the object
    private readonly float _x;         // its centre
    private readonly float _y;
    private readonly float _sin;       // its rotation
    private readonly float _cos;
    private readonly float _lightX;    // towards the light
    private readonly float _lightY;
    private readonly float _horizonX;  // ground[1] lies where x * horizonX + y * horizonY > horizon
    private readonly float _horizonY;
    private readonly float _horizon;
    private readonly PictureTexture[] _ground;
    private readonly PictureTexture _object;
    private readonly ValueNoise _grain;

    public ShapesScene(PictureDraws draws, ShapeClass shape, int height, int width)
    {
        (_shape, _height, _width) = (shape, height, width);
        float shorter = Math.Min(height, width);
        _pixel = 2 / shorter;
        _size = draws.Between(0.42f, 0.8f);
        _x = draws.Between(-1, 1) * MathF.Max(0, width / shorter - 0.9f * _size);
        _y = draws.Between(-1, 1) * MathF.Max(0, height / shorter - 0.9f * _size);
        (_sin, _cos) = MathF.SinCos(draws.Next() * MathF.Tau);
        (_lightY, _lightX) = MathF.SinCos(draws.Between(0.55f, 0.95f) * MathF.Tau);
        (_horizonX, _horizonY) = MathF.SinCos(draws.Between(-0.08f, 0.08f) * MathF.Tau);
        _horizon = draws.Pick(5) < 2 ? draws.Between(-0.3f, 0.7f) : float.MaxValue;
        _grain = new ValueNoise((uint)draws.Pick(1 << 24));

        // The ground is quiet and the object vivid, and their hues lie at least a quarter of the circle apart.
        float hue = draws.Next(), lightness = draws.Between(0.35f, 0.8f);
        _ground = [Ground(draws, hue, lightness), Ground(draws, hue + draws.Between(-0.2f, 0.2f), 1.1f - lightness)];
        float objectHue = hue + draws.Between(0.28f, 0.72f), objectLightness = lightness > 0.58f ? 0.42f : 0.74f;
        var from = (objectLightness + draws.Between(-0.06f, 0.06f), draws.Between(0.11f, 0.19f), objectHue);
        var to = (objectLightness + draws.Between(0.1f, 0.22f), draws.Between(0.06f, 0.16f),
                  objectHue + draws.Between(-0.14f, 0.14f));
        _object = new PictureTexture(draws, new Palette(from, to), draws.Between(2.2f, 5.5f), _pixel);
    }

    /// <summary>Writes picture and mask: (height, width, 3) each.</summary>
    public void Paint(Span<byte> pixels, Span<byte> mask)
    {
        Span<float> colour = stackalloc float[3];
        Span<float> over = stackalloc float[3];
        for (int row = 0, i = 0; row < _height; ++row)
        {
            float y = (row + 0.5f - _height / 2f) * _pixel;
            for (int column = 0; column < _width; ++column, i += 3)
            {
                float x = (column + 0.5f - _width / 2f) * _pixel;
                float covered = 0;
                bool isNear = IsNear(x, y);
                if (isNear)
                {
                    covered = Math.Clamp(0.5f - Distance(x, y) / _pixel, 0f, 1f);
                }
                if (covered < 1)
                {
                    PaintGround(x, y, isNear, colour);
                }
                if (covered > 0)
                {
                    PaintObject(x, y, over);
                    Mix(colour, over, covered);
                }
                float grain = 0.05f * (_grain.Hash(column, row) - 0.5f);
                for (int c = 0; c < 3; ++c)
                {
                    pixels[i + c] = (byte)(Math.Clamp(colour[c] + grain, 0f, 1f) * 255 + 0.5f);
                }
                mask.Slice(i, 3).Fill((byte)(covered * 255 + 0.5f));
            }
        }
    }

    // Outside this circle are neither the object nor its shadow.
    private bool IsNear(float x, float y)
    {
        float dx = x - _x, dy = y - _y;
        return dx * dx + dy * dy < 1.5f * 1.5f * _size * _size;
    }

    private float Distance(float x, float y)
    {
        float dx = (x - _x) / _size, dy = (y - _y) / _size;
        return _size * ShapeDistance.To(_shape, dx * _cos + dy * _sin, dy * _cos - dx * _sin);
    }

    private void PaintGround(float x, float y, bool isNear, Span<float> colour)
    {
        float below = Math.Clamp((x * _horizonX + y * _horizonY - _horizon) / _pixel + 0.5f, 0f, 1f);
        _ground[below < 0.5f ? 0 : 1].At(x, y, colour);
        if (below is > 0 and < 1)
        {
            Span<float> other = stackalloc float[3];
            _ground[below < 0.5f ? 1 : 0].At(x, y, other);
            Mix(colour, other, MathF.Min(below, 1 - below));
        }
        if (isNear)
        {
            // a soft shadow, away from the light
            float depth = -Distance(x + 0.16f * _size * _lightX, y + 0.16f * _size * _lightY) / (0.22f * _size);
            Scale(colour, 1 - 0.55f * Math.Clamp(depth + 0.5f, 0f, 1f));
        }
    }

    // The rim is lit where the edge faces the light, and dark on the other side.
    private void PaintObject(float x, float y, Span<float> colour)
    {
        float dx = x - _x, dy = y - _y;
        _object.At(dx * _cos + dy * _sin, dy * _cos - dx * _sin, colour);
        float inside = -Distance(x, y) / (0.16f * _size);
        if (inside < 1)
        {
            float step = 0.04f * _size;
            float facing = (Distance(x + step * _lightX, y + step * _lightY) - Distance(x, y)) / step;
            Scale(colour, 1 + 0.35f * facing * (1 - Math.Clamp(inside, 0f, 1f)));
        }
    }

    private PictureTexture Ground(PictureDraws draws, float hue, float lightness)
    {
        var from = (lightness - draws.Between(0.03f, 0.11f), draws.Between(0.02f, 0.09f), hue);
        var to = (lightness + draws.Between(0.03f, 0.11f), draws.Between(0.02f, 0.09f),
                  hue + draws.Between(-0.1f, 0.1f));
        return new PictureTexture(draws, new Palette(from, to), draws.Between(1.5f, 5f), _pixel);
    }

    private static void Mix(Span<float> colour, ReadOnlySpan<float> other, float share)
    {
        for (int c = 0; c < 3; ++c)
        {
            colour[c] += share * (other[c] - colour[c]);
        }
    }

    private static void Scale(Span<float> colour, float factor)
    {
        for (int c = 0; c < 3; ++c)
        {
            colour[c] *= factor;
        }
    }
}
