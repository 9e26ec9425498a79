using MimNative.Data;
using MimNative.Export;

namespace MimNative.Evaluation.Objects;

/// <summary>Boxes as files say them.</summary>
internal static class CheckedBox
{
    /// <summary>
    /// The box, cut off where it goes over the picture's edge by less than a pixel, as rounding makes it do.
    /// </summary>
    /// <param name="box">The box.</param>
    /// <param name="came">What the file says, for the message: "object 1 has the box ...".</param>
    /// <param name="file">The file.</param>
    /// <param name="picture">The picture that it is about.</param>
    /// <param name="height">The picture's.</param>
    /// <param name="width">The picture's.</param>
    /// <exception cref="InvalidFileException">It is empty, or outside the picture.</exception>
    public static Region Inside(Region box, string came, string file, string picture, int height, int width)
    {
        if (!(box.Height > 0 && box.Width > 0))
        {
            throw new InvalidFileException(file, $"{came}, expected a box that is more than 0 pixels wide and high");
        }
        var inside = box.Intersect(new Region(0, 0, height, width));
        var over = Math.Max(Math.Max(-box.Top, -box.Left), Math.Max(box.Bottom - height, box.Right - width));
        return over < 1 && inside.Area > 0
            ? inside
            : throw new InvalidFileException(file, $"{came}, expected it inside '{picture}' of {width} x {height} pixels (width x height)");
    }
}
