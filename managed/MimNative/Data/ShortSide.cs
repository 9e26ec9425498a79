using MimNative.Runtime;

namespace MimNative.Data;

/// <summary>
/// Resizing to cover a view: the picture keeps its shape, and its tighter side becomes exactly the view's.
/// </summary>
internal static class ShortSide
{
    // A strip longer than this many views is cut before it is resized, or 3 x 20000 pixels would become gigabytes.
    private const int LongestInViews = 32;

    /// <summary>
    /// The size that a height x width picture is resized to, to cover viewHeight x viewWidth. For a square view of
    /// size s: the shorter side becomes s, the other trunc(s * long / short).
    /// </summary>
    public static (int Height, int Width) Size(int height, int width, int viewHeight, int viewWidth) =>
        (long)width * viewHeight >= (long)height * viewWidth
            ? (viewHeight, (int)((long)viewHeight * width / height))
            : ((int)((long)viewWidth * height / width), viewWidth);

    /// <summary>
    /// The part of the picture to resize: all of it, save for a strip that would grow past 32 views. Of that the window
    /// is taken that lies at the share <paramref name="position"/> (0 to 1) of the way along it, where the crop will
    /// be.
    /// </summary>
    public static Box Window(int height, int width, int viewHeight, int viewWidth, float position)
    {
        long longestWidth = Math.Max(1, (long)LongestInViews * viewWidth * height / viewHeight);
        long longestHeight = Math.Max(1, (long)LongestInViews * viewHeight * width / viewWidth);
        int h = (int)Math.Min(height, longestHeight), w = (int)Math.Min(width, longestWidth);
        return new Box((int)((double)position * (height - h)), (int)((double)position * (width - w)), h, w);
    }
}
