using MimNative.Evaluation;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Evaluation;

public sealed class LossCurveTests
{
    private const byte Ink = 30;
    private const int Left = 90, Right = 20, Top = 40, Bottom = 40;

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(719)]
    [TestCase(100_000)]
    public void The_curve_runs_from_the_first_step_to_the_last(int count)
    {
        using var picture = LossCurve.Draw([.. Enumerable.Range(0, count).Select(i => 1f / (1 + i))], "a title");
        var rows = CurveRows(picture);
        using (Assert.EnterMultipleScope())
        {
            Assert.That((picture.Width, picture.Height), Is.EqualTo((720, 400)));
            Assert.That(rows, Has.All.InRange(Top, picture.Height - Bottom + 1), "the curve in every column");
            Assert.That(rows, Is.Ordered.Ascending, "a falling loss");
            Assert.That(rows[^1] - rows[0], count == 1 ? Is.Zero : Is.GreaterThan(200));
        }
    }

    [Test]
    public void A_loss_that_stays_is_a_line_in_the_middle()
    {
        using var picture = LossCurve.Draw([.. Enumerable.Repeat(0.25f, 50)], "");
        Assert.That(CurveRows(picture), Has.All.InRange(200, 201));
    }

    [Test]
    public void A_loss_that_is_no_number_is_drawn_too() =>
        Assert.That(() => LossCurve.Draw([1, 0.5f, float.NaN, float.PositiveInfinity, 0.2f], "broken").Dispose(), Throws.Nothing);

    [Test]
    public void Without_a_step_there_is_no_curve() =>
        Assert.That(() => LossCurve.Draw([], "none"), Throws.InstanceOf<ArgumentException>().With.Message.Contains("losses"));

    // The last row of ink in each column of the plot, -1 where there is none. The curve is two rows thick.
    private static int[] CurveRows(Image picture)
    {
        var rows = new List<int>();
        for (var x = Left; x < picture.Width - Right; x++)
        {
            var y = picture.Height - Bottom + 1;
            while (y >= Top && picture.Pixels[((y * picture.Width) + x) * 3] != Ink)
            {
                y--;
            }
            rows.Add(y < Top ? -1 : y);
        }
        return [.. rows];
    }
}
