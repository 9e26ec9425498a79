using MimNative.Runtime;

namespace MimNative.Data;

/// <summary>
/// A rectangle of a picture with edges anywhere: pixel (y, x) is the square from y to y + 1 and from x to x + 1.
/// </summary>
public readonly record struct Region(double Top, double Left, double Bottom, double Right)
{
    /// <summary>The rectangle of a box of whole pixels.</summary>
    public static Region Of(Box box) =>
        new(box.Top, box.Left, (double)box.Top + box.Height, (double)box.Left + box.Width);

    /// <summary>From top to bottom.</summary>
    public double Height => Bottom - Top;

    /// <summary>From left to right.</summary>
    public double Width => Right - Left;

    /// <summary>Its pixels; 0 where there is nothing between its edges.</summary>
    public double Area => Math.Max(0, Height) * Math.Max(0, Width);

    /// <summary>What lies in both.</summary>
    public Region Intersect(in Region other) => new(
        Math.Max(Top, other.Top), Math.Max(Left, other.Left), Math.Min(Bottom, other.Bottom), Math.Min(Right, other.Right));
}
