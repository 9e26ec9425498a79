using MimNative.Runtime;

namespace MimNative.Data;

/// <summary>Where in a picture a view comes from.</summary>
/// <param name="Whole">What lies between the view's edges; it reaches beyond the picture where a mirrored border is seen.</param>
/// <param name="Shown">The part of it that shows the picture itself, and no pixel a second time in a border.</param>
/// <param name="Mirrored">Whether left and right have changed places.</param>
public readonly record struct ViewOrigin(Region Whole, Region Shown, bool Mirrored)
{
    /// <summary>What is seen in a cell of a view that is divided evenly into rows x columns.</summary>
    public Region Cell(int row, int column, int rows, int columns)
    {
        int place = Mirrored ? columns - 1 - column : column;
        double height = Whole.Height / rows, width = Whole.Width / columns;
        double top = Whole.Top + row * height, left = Whole.Left + place * width;
        return new Region(top, left, top + height, left + width).Intersect(Shown);
    }

    /// <summary>Of a crop out of a window of the picture that was resized to height x width.</summary>
    internal static ViewOrigin OfResized(Box window, int height, int width, Box crop, bool mirrored)
    {
        double y = (double)window.Height / height, x = (double)window.Width / width;
        var whole = new Region(
            window.Top + crop.Top * y, window.Left + crop.Left * x, window.Top + (crop.Top + crop.Height) * y,
            window.Left + (crop.Left + crop.Width) * x);
        return new ViewOrigin(whole, whole.Intersect(Region.Of(window)), mirrored);
    }
}
