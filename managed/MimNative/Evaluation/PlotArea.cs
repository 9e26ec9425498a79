using MimNative.Runtime;

namespace MimNative.Evaluation;

/// <summary>The part of a picture where a plot's lines are, and where its numbers lie in it. What leaves the ranges stays at their edge.</summary>
internal sealed class PlotArea(Image picture, Box box, (double Low, double High) x, (double Low, double High) y)
{
    private const int Mark = 2;

    public int Bottom => box.Top + box.Height;

    public int Column(double value) =>
        (int)Math.Clamp(Math.Round(box.Left + ((value - x.Low) / (x.High - x.Low) * (box.Width - 1))), box.Left, box.Left + box.Width - 1);

    public int Row(double value) =>
        (int)Math.Clamp(Math.Round(box.Top + ((y.High - value) / (y.High - y.Low) * box.Height)), box.Top, box.Top + box.Height);

    /// <summary>A rule from edge to edge.</summary>
    public void Across(double value, byte shade)
    {
        for (var column = box.Left; column < box.Left + box.Width; column++)
        {
            Dot(column, Row(value), new PlotColour(shade, shade, shade));
        }
    }

    /// <summary>The colour of a line, for the legend.</summary>
    public void Swatch(int top, int left, PlotColour colour)
    {
        for (var i = 0; i < 3 * 14; i++)
        {
            Dot(left + (i % 14), top + 3 + (i / 14), colour);
        }
    }

    public void Draw(PlotLine line)
    {
        (int Column, int Row)? before = null;
        foreach (var (px, py) in line.Points)
        {
            if (!double.IsFinite(px) || !double.IsFinite(py))
            {
                before = null;
                continue;
            }
            var at = (Column(px), Row(py));
            if (line.Thickness > 0)
            {
                Join(before ?? at, at, line);
            }
            before = at;
            for (var i = 0; line.HasMarks && i < (2 * Mark + 1) * (2 * Mark + 1); i++)
            {
                Dot(at.Item1 - Mark + (i % (2 * Mark + 1)), at.Item2 - Mark + (i / (2 * Mark + 1)), line.Colour);
            }
        }
    }

    // Between two columns a line runs up or down the second one; thick lines grow downwards.
    private void Join((int Column, int Row) from, (int Column, int Row) to, PlotLine line)
    {
        var before = from.Row;
        for (var column = Math.Min(from.Column + 1, to.Column); column <= to.Column; column++)
        {
            var share = to.Column == from.Column ? 1 : (double)(column - from.Column) / (to.Column - from.Column);
            var now = (int)Math.Round(from.Row + (share * (to.Row - from.Row)));
            for (var row = Math.Min(before, now); row < Math.Max(before, now) + line.Thickness; row++)
            {
                Dot(column, row, line.Colour);
            }
            before = now;
        }
    }

    private void Dot(int column, int row, PlotColour colour)
    {
        if (column >= 0 && column < picture.Width && row >= 0 && row < picture.Height)
        {
            var pixel = picture.Pixels.Slice(((row * picture.Width) + column) * 3, 3);
            (pixel[0], pixel[1], pixel[2]) = (colour.Red, colour.Green, colour.Blue);
        }
    }
}
