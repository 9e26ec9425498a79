using MimNative.Runtime;

namespace MimNative.Evaluation;

/// <summary>Points of a plot in order, joined or not.</summary>
/// <param name="Name">What the legend calls it; empty for no entry.</param>
/// <param name="Points">The points; those that are not finite leave a gap.</param>
/// <param name="Colour">Its colour.</param>
public sealed record PlotLine(string Name, IReadOnlyList<(double X, double Y)> Points, PlotColour Colour)
{
    /// <summary>Pixels of a line's width; 0 for points that are not joined.</summary>
    public int Thickness { get; init; } = 2;

    /// <summary>Whether each point is a small square.</summary>
    public bool HasMarks { get; init; }
}

/// <summary>What stands around the lines of a plot.</summary>
/// <param name="Title">Above it.</param>
/// <param name="X">The range across.</param>
/// <param name="Y">The range from bottom to top.</param>
/// <param name="XTicks">What is written below.</param>
public sealed record PlotFrame(string Title, (double Low, double High) X, (double Low, double High) Y, IReadOnlyList<PlotTick> XTicks)
{
    /// <summary>What is told across; empty for nothing.</summary>
    public string XTitle { get; init; } = "";

    /// <summary>Whole picture.</summary>
    public int Width { get; init; } = 720;

    /// <summary>Whole picture.</summary>
    public int Height { get; init; } = 400;

    /// <summary>A range that holds all points with a little air, also where there are none or they are all the same.</summary>
    public static (double Low, double High) Around(IEnumerable<double> values)
    {
        double[] finite = [.. values.Where(double.IsFinite)];
        var (low, high) = finite.Length == 0 ? (0, 1) : (finite.Min(), finite.Max());
        return high - low < 1e-9 * Math.Max(1, Math.Abs(high)) ? (low - 0.5, high + 0.5) : (low - (0.04 * (high - low)), high + (0.04 * (high - low)));
    }
}

/// <summary>Lines with axes and a legend, as a picture.</summary>
public static class LinePlot
{
    private const int Left = 90, Right = 20, Top = 40, Bottom = 40, Scale = 2;
    private const byte Paper = 255, Ink = 30, Rule = 225;

    /// <summary>The picture; the legend, where lines have names, stands to the right of them.</summary>
    public static Image Draw(PlotFrame frame, IReadOnlyList<PlotLine> lines)
    {
        ArgumentNullException.ThrowIfNull(frame);
        ArgumentNullException.ThrowIfNull(lines);
        var named = lines.Where(l => l.Name.Length > 0).ToList();
        var legend = named.Count == 0 ? 0 : named.Max(l => PictureText.Width(l.Name, 1)) + 30;
        var below = frame.XTitle.Length == 0 ? 0 : PictureText.Height(Scale) + 4;
        var height = Math.Max(frame.Height + below, Top + (named.Count * LegendLine) + Bottom);
        var picture = Image.Create(height, frame.Width + legend);
        picture.Pixels.Fill(Paper);
        var area = new PlotArea(picture, new Box(Top, Left, height - Top - Bottom - below, frame.Width - Left - Right), frame.X, frame.Y);
        PictureText.Draw(picture, frame.Title, 8, Left, Scale, Ink);
        foreach (var tick in PlotTick.Round(frame.Y.Low, frame.Y.High, 6))
        {
            area.Across(tick.At, Rule);
            PictureText.Draw(picture, tick.Label, area.Row(tick.At) - 8, Math.Max(0, Left - 8 - PictureText.Width(tick.Label, Scale)), Scale, Ink);
        }
        XAxis(picture, area, frame);
        foreach (var line in lines)
        {
            area.Draw(line);
        }
        for (var i = 0; i < named.Count; i++)
        {
            area.Swatch(Top + (i * LegendLine), frame.Width, named[i].Colour);
            PictureText.Draw(picture, named[i].Name, Top + (i * LegendLine), frame.Width + 20, 1, Ink);
        }
        return picture;
    }

    private static int LegendLine => PictureText.Height(1) + 5;

    // Labels stand below their places, inside the picture; one that would touch the last is left out.
    private static void XAxis(Image picture, PlotArea area, PlotFrame frame)
    {
        var free = 0;
        foreach (var tick in frame.XTicks)
        {
            var width = PictureText.Width(tick.Label, Scale);
            var left = Math.Clamp(area.Column(tick.At) - (width / 2), Left / 2, Math.Max(Left / 2, frame.Width - Right - width));
            if (left >= free)
            {
                PictureText.Draw(picture, tick.Label, area.Bottom + 12, left, Scale, Ink);
                free = left + width + 1;
            }
        }
        PictureText.Draw(picture, frame.XTitle, area.Bottom + 12 + PictureText.Height(Scale) + 2, Left, Scale, Ink);
    }
}
