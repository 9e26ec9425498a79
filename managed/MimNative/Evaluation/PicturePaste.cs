using MimNative.Runtime;

namespace MimNative.Evaluation;

/// <summary>Pictures inside other pictures.</summary>
internal static class PicturePaste
{
    /// <summary>Draws a picture whose upper left corner is at (top, left), each of its pixels as a square of zoom x zoom.</summary>
    public static void Draw(Image sheet, Image picture, int top, int left, int zoom)
    {
        var to = sheet.Pixels;
        var from = picture.Pixels;
        for (var y = 0; y < picture.Height * zoom; y++)
        {
            for (var x = 0; x < picture.Width * zoom; x++)
            {
                from.Slice(((y / zoom * picture.Width) + (x / zoom)) * 3, 3)
                    .CopyTo(to.Slice((((top + y) * sheet.Width) + left + x) * 3, 3));
            }
        }
    }
}
