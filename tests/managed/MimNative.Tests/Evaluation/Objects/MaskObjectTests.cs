using MimNative.Data;
using MimNative.Evaluation.Objects;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Evaluation.Objects;

public sealed class MaskObjectTests
{
    [Test]
    public void Area_in_a_rectangle_is_the_sum_over_what_it_cuts_of_each_pixel()
    {
        var random = new Random(1);
        var shares = new float[7 * 9];
        for (var i = 0; i < shares.Length; i++)
        {
            shares[i] = random.Next(3) == 0 ? 0 : random.NextSingle();
        }
        var mask = new MaskObject(new Box(3, 2, 7, 9), shares);
        for (var i = 0; i < 200; i++)
        {
            double top = random.NextDouble() * 14 - 1, left = random.NextDouble() * 16 - 1;
            var region = new Region(top, left, top + random.NextDouble() * 8, left + random.NextDouble() * 8);
            double expected = 0;
            for (var p = 0; p < shares.Length; p++)
            {
                expected += shares[p] * Region.Of(new Box(3 + p / 9, 2 + p % 9, 1, 1)).Intersect(region).Area;
            }
            Assert.That(mask.AreaIn(region), Is.EqualTo(expected).Within(1e-9));
        }
        Assert.That(mask.Area, Is.EqualTo(shares.Sum(s => (double)s)).Within(1e-9));
    }

    [Test]
    public void Bounds_are_those_of_the_pixels_that_count()
    {
        var shares = new float[4 * 5];
        (shares[6], shares[13]) = (0.1f, 1);  // (1, 1) and (2, 3)
        Assert.That(new MaskObject(new Box(10, 20, 4, 5), shares).Bounds, Is.EqualTo(new Region(11, 21, 13, 24)));
    }

    [Test]
    public void A_full_mask_is_a_box()
    {
        var mask = new MaskObject(new Box(2, 3, 4, 5), [.. Enumerable.Repeat(1f, 20)]);
        var box = new BoxObject(new Region(2, 3, 6, 8));
        foreach (var region in new[] { new Region(0, 0, 9, 9), new Region(2.5, 3.25, 4.75, 7.5), new Region(5.9, 0, 20, 3.1), new Region(4, 4, 3, 9) })
        {
            Assert.That(mask.AreaIn(region), Is.EqualTo(box.AreaIn(region)).Within(1e-12));
        }
        Assert.That(mask.Bounds, Is.EqualTo(box.Bounds));
    }

    [Test]
    public void A_mask_without_a_pixel_or_of_another_size_is_an_error()
    {
        Assert.That(() => new MaskObject(new Box(0, 0, 2, 2), new float[4]), Throws.ArgumentException.With.Message.Contains("without a pixel"));
        Assert.That(() => new MaskObject(new Box(0, 0, 2, 2), new float[5]), Throws.ArgumentException.With.Message.Contains("4 shares; 5 came"));
    }
}
