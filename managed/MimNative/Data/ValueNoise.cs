namespace MimNative.Data;

/// <summary>Smooth noise over the plane, 0 to 1: hashed values on whole coordinates, blended in between.</summary>
internal readonly struct ValueNoise(uint seed)
{
    /// <summary>One layer: features about one unit wide.</summary>
    public float At(float x, float y)
    {
        float floorX = MathF.Floor(x), floorY = MathF.Floor(y);
        int column = (int)floorX, row = (int)floorY;
        float u = Smooth(x - floorX), v = Smooth(y - floorY);
        float top = float.Lerp(Hash(column, row), Hash(column + 1, row), u);
        float bottom = float.Lerp(Hash(column, row + 1), Hash(column + 1, row + 1), u);
        return float.Lerp(top, bottom, v);
    }

    /// <summary>Four layers, each twice as fine and half as strong as the one before.</summary>
    public float Fractal(float x, float y)
    {
        float sum = 0, weight = 0.5f;
        for (int layer = 0; layer < 4; ++layer, weight /= 2)
        {
            sum += weight * At(x, y);
            (x, y) = (2 * x + 17.3f, 2 * y - 9.1f);
        }
        return sum / 0.9375f;
    }

    /// <summary>The value at whole coordinates.</summary>
    public float Hash(int column, int row)
    {
        uint bits = unchecked((uint)column * 0x9E3779B1u ^ (uint)row * 0x85EBCA77u ^ seed);
        bits = unchecked((bits ^ bits >> 15) * 0x2C1B3C6Du);
        bits = unchecked((bits ^ bits >> 12) * 0x297A2D39u);
        return ((bits ^ bits >> 15) >> 8) * (1f / (1 << 24));
    }

    private static float Smooth(float t) => t * t * (3 - 2 * t);
}
