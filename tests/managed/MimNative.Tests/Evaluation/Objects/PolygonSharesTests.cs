using MimNative.Evaluation.Objects;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Evaluation.Objects;

public sealed class PolygonSharesTests
{
    private static readonly Box Place = new(0, 0, 10, 12);

    [Test]
    public void A_rectangle_covers_its_pixels_and_parts_of_those_at_its_edges()
    {
        var shares = PolygonShares.Of([[2.5, 3, 7, 3, 7, 6.25, 2.5, 6.25]], Place);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(shares.Sum(), Is.EqualTo(4.5 * 3.25).Within(1e-5));
            Assert.That(shares[(3 * 12) + 2], Is.EqualTo(0.5f).Within(1e-6));
            Assert.That(shares[(6 * 12) + 4], Is.EqualTo(0.25f).Within(1e-6));
            Assert.That(shares[(4 * 12) + 4], Is.EqualTo(1f).Within(1e-6));
            Assert.That(shares[(4 * 12) + 7], Is.Zero);
        }
    }

    [Test]
    public void A_triangle_has_half_the_area_of_its_box() =>
        Assert.That(PolygonShares.Of([[1, 1, 9, 1, 1, 9]], Place).Sum(), Is.EqualTo(32).Within(0.01));

    [Test]
    public void What_lies_in_two_polygons_counts_once() =>
        Assert.That(
            PolygonShares.Of([[1, 1, 6, 1, 6, 6, 1, 6], [4, 4, 8, 4, 8, 8, 4, 8], [2, 2, 3, 2, 3, 3, 2, 3]], Place).Sum(),
            Is.EqualTo(25 + 16 - 4).Within(1e-4));

    [Test]
    public void What_reaches_over_the_edge_is_cut_off() =>
        Assert.That(PolygonShares.Of([[-0.5, -0.5, 12.5, -0.5, 12.5, 10.5, -0.5, 10.5]], Place).Sum(), Is.EqualTo(120).Within(1e-3));

    // The inner ring runs the same way round: even-odd, not winding, makes the hole.
    [Test]
    public void A_polygon_that_crosses_itself_has_a_hole() =>
        Assert.That(
            PolygonShares.Of([[1, 1, 9, 1, 9, 9, 1, 9, 1, 1, 3, 3, 7, 3, 7, 7, 3, 7, 3, 3]], Place).Sum(), Is.EqualTo(64 - 16).Within(1e-4));
}
