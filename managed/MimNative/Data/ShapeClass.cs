namespace MimNative.Data;

/// <summary>The objects of the drawn pictures. The number is the label.</summary>
public enum ShapeClass
{
    Disc,
    Ring,
    Square,
    Triangle,
    Hexagon,
    Star,
    Cross,
    Heart,
    Moon,
    Flower,
}

/// <summary>Signed distances to the edges of the shapes: below zero inside. Each fits a circle of radius 1.</summary>
internal static class ShapeDistance
{
    private static readonly float[] TriangleNormals = Normals(3);
    private static readonly float[] SquareNormals = Normals(4);
    private static readonly float[] HexagonNormals = Normals(6);

    public static float To(ShapeClass shape, float x, float y) => shape switch
    {
        ShapeClass.Disc => Disc(x, y, 0.9f),
        ShapeClass.Ring => MathF.Abs(Disc(x, y, 0.7f)) - 0.24f,
        ShapeClass.Square => Polygon(SquareNormals, x, y, 0.74f),
        ShapeClass.Triangle => Polygon(TriangleNormals, x, y, 0.54f),
        ShapeClass.Hexagon => Polygon(HexagonNormals, x, y, 0.84f),
        ShapeClass.Star => Star(x, y, outer: 1f, inner: 0.44f),
        ShapeClass.Cross => MathF.Min(Rectangle(x, y, 0.94f, 0.31f), Rectangle(x, y, 0.31f, 0.94f)),
        ShapeClass.Heart => Heart(x, y),
        ShapeClass.Moon => MathF.Max(Disc(x, y, 0.94f), -Disc(x - 0.46f, y + 0.1f, 0.72f)),
        ShapeClass.Flower => Flower(x, y),
        _ => throw new ArgumentOutOfRangeException(nameof(shape), shape, "There is no such shape."),
    };

    private static float Disc(float x, float y, float radius) => MathF.Sqrt(x * x + y * y) - radius;

    private static float Rectangle(float x, float y, float halfWidth, float halfHeight) =>
        MathF.Max(MathF.Abs(x) - halfWidth, MathF.Abs(y) - halfHeight);

    // The furthest of the sides' lines; normals point outwards.
    private static float Polygon(float[] normals, float x, float y, float apothem)
    {
        float furthest = float.MinValue;
        for (int i = 0; i < normals.Length; i += 2)
        {
            furthest = MathF.Max(furthest, normals[i] * x + normals[i + 1] * y);
        }
        return furthest - apothem;
    }

    private static float[] Normals(int sides)
    {
        var normals = new float[2 * sides];
        for (int i = 0; i < sides; ++i)
        {
            (normals[2 * i + 1], normals[2 * i]) = MathF.SinCos(MathF.Tau * (i + 0.5f) / sides + MathF.PI / 2);
        }
        return normals;
    }

    // Folded into one half of one point: the edge is then the line from the tip to the inner corner.
    private static float Star(float x, float y, float outer, float inner)
    {
        const float half = MathF.PI / 5;
        float angle = MathF.Abs(MathF.IEEERemainder(MathF.Atan2(x, -y), 2 * half)), radius = MathF.Sqrt(x * x + y * y);
        var (sin, cos) = MathF.SinCos(angle);
        float cornerX = inner * MathF.Cos(half), cornerY = inner * MathF.Sin(half);
        float edgeX = cornerX - outer, edgeY = cornerY;
        float cross = edgeX * (radius * sin) - edgeY * (radius * cos - outer);
        return -cross / MathF.Sqrt(edgeX * edgeX + edgeY * edgeY);
    }

    // A square on its corner, and a disc on each of its two upper sides.
    private static float Heart(float x, float y)
    {
        const float side = 0.52f, diagonal = side * 0.70710678f;
        y -= 0.1f;
        float square = (MathF.Abs(x) + MathF.Abs(y)) * 0.70710678f - side;
        return MathF.Min(square, Disc(MathF.Abs(x) - diagonal, y + diagonal, side));
    }

    private static float Flower(float x, float y)
    {
        const float petal = MathF.Tau / 6;
        float angle = MathF.IEEERemainder(MathF.Atan2(y, x), petal), radius = MathF.Sqrt(x * x + y * y);
        var (sin, cos) = MathF.SinCos(angle);
        return MathF.Min(Disc(radius * cos - 0.64f, radius * sin, 0.29f), radius - 0.52f);
    }
}
