using MimNative.Data;
using MimNative.Evaluation.Objects;
using MimNative.Runtime;

namespace MimNative.Evaluation.Coverage;

/// <summary>Marks objects in pictures.</summary>
internal static class ObjectOutline
{
    private static ReadOnlySpan<byte> Colour => [255, 40, 40];

    /// <summary>Draws the inner rim of an object, one hundredth of the picture wide.</summary>
    public static void Draw(Image picture, PictureObject picturedObject)
    {
        int height = picture.Height, width = picture.Width, rim = Math.Max(1, Math.Min(height, width) / 100);
        var inside = new bool[height * width];
        var bounds = picturedObject.Bounds.Intersect(Region.Of(picture.Box));
        for (var y = (int)bounds.Top; y < bounds.Bottom; y++)
        {
            for (var x = (int)bounds.Left; x < bounds.Right; x++)
            {
                inside[(y * width) + x] = picturedObject.AreaIn(Region.Of(new Box(y, x, 1, 1))) >= 0.5;
            }
        }
        for (var i = 0; i < inside.Length; i++)
        {
            int y = i / width, x = i % width;
            if (inside[i] && !(Inside(y - rim, x) && Inside(y + rim, x) && Inside(y, x - rim) && Inside(y, x + rim)))
            {
                Colour.CopyTo(picture.Pixels[(3 * i)..]);
            }
        }

        bool Inside(int y, int x) => y >= 0 && x >= 0 && y < height && x < width && inside[(y * width) + x];
    }
}
