using FsCheck.Fluent;
using FsCheck;
using MimNative.Data;
using NUnit.Framework;

namespace MimNative.Tests.Data;

[TestFixture]
public sealed class EpochOrderTests
{
    private static long[] Samples(long count, long seed, long epoch)
    {
        var order = new EpochOrder(count, seed, epoch);
        return [.. Enumerable.Range(0, (int)count).Select(i => order[i])];
    }

    [Test]
    public void Order_is_a_permutation()
    {
        Prop.ForAll(Gen.Choose(1, 3000).ToArbitrary(), ArbMap.Default.ArbFor<int>(), (count, seed) =>
            Samples(count, seed, epoch: 0).Order().SequenceEqual(Enumerable.Range(0, count).Select(i => (long)i)))
            .QuickCheckThrowOnFailure();
    }

    [Test]
    public void Same_seed_and_epoch_give_the_same_order_and_others_another()
    {
        var order = Samples(1000, 1, 0);
        Assert.That(Samples(1000, 1, 0), Is.EqualTo(order));
        Assert.That(Samples(1000, 1, 1), Is.Not.EqualTo(order));
        Assert.That(Samples(1000, 2, 0), Is.Not.EqualTo(order));
        Assert.That(Samples(1000, 1 + (1L << 32), 0), Is.Not.EqualTo(order), "all 64 bits of the seed count");
    }

    // A run that is resumed with a later version must see the same samples.
    [Test]
    public void First_samples_never_change()
    {
        Assert.That(Samples(1000, seed: 7, epoch: 3).Take(8), Is.EqualTo(Pinned));
    }

    private static readonly long[] Pinned = [212, 637, 509, 877, 590, 794, 174, 920];

    [Test]
    public void Every_order_of_three_is_as_likely_as_another()
    {
        var counts = new Dictionary<string, int>();
        const int draws = 6000;
        for (int seed = 0; seed < draws; ++seed)
        {
            string order = string.Join("", Samples(3, seed, 0));
            counts[order] = counts.GetValueOrDefault(order) + 1;
        }
        // each of 6 expected 1000 times, standard deviation 29
        Assert.That(counts, Has.Count.EqualTo(6));
        Assert.That(counts.Values, Has.All.InRange(850, 1150));
    }

    [TestCase(0)]
    [TestCase(1L << 40)]
    public void Impossible_count_is_refused(long count)
    {
        Assert.That(() => new EpochOrder(count, 0, 0), Throws.TypeOf<ArgumentOutOfRangeException>());
    }
}
