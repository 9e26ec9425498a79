using MimNative.Evaluation.Benchmarks;
using NUnit.Framework;

namespace MimNative.Tests.Evaluation.Benchmarks;

public sealed class SpreadTests
{
    [Test]
    public void Quartiles_between_two_numbers_are_interpolated()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Spread.Of([4, 1, 3, 2]), Is.EqualTo(new Spread(2.5, 1.75, 3.25, 1, 4)));
            Assert.That(Spread.Of([50, 10, 30, 20, 40]), Is.EqualTo(new Spread(30, 20, 40, 10, 50)));
            Assert.That(Spread.Of([7]), Is.EqualTo(new Spread(7, 7, 7, 7, 7)));
        }
    }

    [Test]
    public void Ratios_are_taken_pair_by_pair_and_not_of_medians()
    {
        // a machine that becomes twice as slow in the middle changes no ratio
        Assert.That(Spread.OfRatios([3, 6, 12], [1, 2, 4]), Is.EqualTo(new Spread(3, 3, 3, 3, 3)));
        Assert.That(Spread.OfRatios([1, 8, 3], [1, 2, 1]).Median, Is.EqualTo(3));
    }

    [Test]
    public void Nothing_and_half_a_pair_are_errors()
    {
        Assert.That(() => Spread.Of([]), Throws.ArgumentException);
        Assert.That(() => Spread.OfRatios([1, 2], [1]), Throws.ArgumentException.With.Message.Contains("2 measurements"));
    }
}
