using MimNative.Evaluation;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Evaluation;

public sealed class LinePlotTests
{
    private const int Left = 90, Right = 20, Top = 40, Bottom = 40;

    private static readonly PlotColour Colour = PlotColour.Of(1);

    [TestCase(0, 1, "0.0 0.2 0.4 0.6 0.8 1.0")]
    [TestCase(0.8, 1.3, "0.8 0.9 1.0 1.1 1.2 1.3")]
    [TestCase(-3, 250, "0 50 100 150 200 250")]
    [TestCase(0.00011, 0.00019, "0.00012 0.00014 0.00016 0.00018")]
    public void Ticks_are_round_numbers(double low, double high, string labels) =>
        Assert.That(string.Join(' ', PlotTick.Round(low, high, 5).Select(t => t.Label)), Is.EqualTo(labels));

    [Test]
    public void Points_lie_where_the_ranges_say()
    {
        var frame = new PlotFrame("", (0, 609), (-1, 1), []);
        using var picture = LinePlot.Draw(
            frame, [new PlotLine("", [(0, -1), (305, 0), (609, 1)], Colour) { Thickness = 0, HasMarks = true }]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That((picture.Width, picture.Height), Is.EqualTo((720, 400)));
            Assert.That(Centres(picture), Is.EqualTo(new[] { (Left, 400 - Bottom), (Left + 305, 200), (720 - Right - 1, Top) }));
        }
    }

    [Test]
    public void A_line_has_no_gap_but_where_a_number_is_missing()
    {
        var frame = new PlotFrame("", (0, 4), (0, 1), []);
        using var picture = LinePlot.Draw(frame, [new PlotLine("", [(0, 0), (1, 1), (2, double.NaN), (3, 1), (4, 0)], Colour)]);
        var columns = Columns(picture);
        int Column(double x) => (int)Math.Round(Left + (x / 4 * (720 - Left - Right - 1)));
        Assert.That(columns, Is.EqualTo(Enumerable.Range(Left, Column(1) - Left + 1).Concat(Enumerable.Range(Column(3), Column(4) - Column(3) + 1))));
    }

    [Test]
    public void A_legend_makes_room_for_itself()
    {
        var frame = new PlotFrame("title", (0, 1), (0, 1), []) { XTitle = "x" };
        PlotLine[] lines = [.. Enumerable.Range(0, 40).Select(i => new PlotLine($"line {i}", [(0, 0.5)], PlotColour.Of(i)))];
        using var picture = LinePlot.Draw(frame, lines);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(picture.Width, Is.EqualTo(720 + (7 * 6) + 30));
            Assert.That(picture.Height, Is.GreaterThan(40 * 12));
        }
    }

    [Test]
    public void A_range_without_numbers_or_of_one_number_is_a_range() => Assert.Multiple(() =>
    {
        Assert.That(PlotFrame.Around([double.NaN]), Is.EqualTo((-0.04, 1.04)).Or.EqualTo((0.0, 1.0)));
        Assert.That(PlotFrame.Around([3, 3]), Is.EqualTo((2.5, 3.5)));
        Assert.That(PlotFrame.Around([1, 2, double.PositiveInfinity]), Is.EqualTo((0.96, 2.04)));
    });

    private static IEnumerable<(int X, int Y)> Dots(Image picture) =>
        from i in Enumerable.Range(0, picture.Width * picture.Height)
        where picture.Pixels[3 * i] == Colour.Red && picture.Pixels[(3 * i) + 1] == Colour.Green && picture.Pixels[(3 * i) + 2] == Colour.Blue
        select (i % picture.Width, i / picture.Width);

    private static int[] Columns(Image picture) => [.. Dots(picture).Select(d => d.X).Distinct().Order()];

    // Middles of the squares of 5 x 5 dots.
    private static (int X, int Y)[] Centres(Image picture)
    {
        var dots = Dots(picture).ToHashSet();
        return [.. dots.Where(d => Enumerable.Range(0, 25).All(i => dots.Contains((d.X - 2 + (i % 5), d.Y - 2 + (i / 5))))).OrderBy(d => d.X)];
    }
}
