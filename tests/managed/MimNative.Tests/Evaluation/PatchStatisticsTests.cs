using MimNative.Evaluation;
using MimNative.Nn;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Evaluation;

public sealed class PatchStatisticsTests
{
    private static readonly PatchGrid Grid = new(12, 16, 3, 4);    // 3 x 4 patches of 48 numbers

    [Test]
    public void The_variance_is_unbiased()
    {
        var statistics = PatchStatistics.Of([1, 2, 3, 6, 10, 10, 10, 10], size: 4);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(statistics.Mean, Is.EqualTo(new float[] { 3, 10 }));
            Assert.That(statistics.Variance, Is.EqualTo(new[] { 14f / 3, 0 }));
        }
    }

    [Test]
    public void Normalised_patches_have_mean_zero_and_variance_one_and_can_be_undone()
    {
        using var run = TestRun.On(Device.Cpu, seed: 18);
        float[] patches = [.. run.Numbers(12 * 48, deviation: 3).Select(v => v + 5)];
        var statistics = PatchStatistics.Of(patches, Grid.PatchSize);
        var normalized = statistics.Normalize(patches);
        foreach (var patch in normalized.Chunk(48))
        {
            Assert.That(patch.Average(), Is.Zero.Within(1e-5));
            Assert.That(patch.Sum(v => v * v) / 47, Is.EqualTo(1).Within(1e-4));
        }
        Assert.That(statistics.Denormalize(normalized), Is.EqualTo(patches).Within(1e-5));
    }

    [Test]
    public void Removed_patches_get_the_average_of_the_nearest_visible_ones()
    {
        float[] numbers = [.. Enumerable.Range(0, 12).Select(i => (float)(i * i))];
        var statistics = new PatchStatistics(numbers, [.. numbers.Select(n => 2 * n)]);
        //  v . . .      patch 1 sees 0 and 6 beside it;
        //  . . v .      patch 3 sees 6; patch 8 sees 0 and 6 at distance 2
        //  . . . .
        bool[] removed = [.. Enumerable.Range(0, 12).Select(i => i is not (0 or 6))];
        var seen = statistics.FromVisible(Grid, removed);
        using (Assert.EnterMultipleScope())
        {
            Assert.That((seen.Mean[0], seen.Mean[6]), Is.EqualTo((0f, 36f)));
            Assert.That((seen.Mean[1], seen.Mean[3], seen.Mean[8]), Is.EqualTo((18f, 36f, 18f)));
            Assert.That(seen.Variance, Is.EqualTo(seen.Mean.Select(m => 2 * m)));
        }
    }

    [Test]
    public void What_was_removed_is_never_looked_at()
    {
        var random = new Random(19);
        for (var i = 0; i < 200; i++)
        {
            bool[] removed = [.. Enumerable.Range(0, 12).Select(_ => random.Next(4) > 0)];
            // a removed patch's statistics are NaN: one look at them would show
            float[] Poisoned() => [.. removed.Select(r => r ? float.NaN : random.NextSingle())];
            var seen = new PatchStatistics(Poisoned(), Poisoned()).FromVisible(Grid, removed);
            Assert.That(seen.Mean.Concat(seen.Variance), Has.All.Matches<float>(float.IsFinite));
        }
    }

    [Test]
    public void Where_nothing_is_visible_the_statistics_are_those_of_the_data()
    {
        var seen = new PatchStatistics(new float[12], new float[12]).FromVisible(Grid, [.. Enumerable.Repeat(true, 12)]);
        Assert.That((seen.Mean.Max(), seen.Variance.Min()), Is.EqualTo((0f, 1f)));
    }
}
