using MimNative.Masking;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Masking;

/// <summary>LSMAE's masks of joint patches.</summary>
[TestFixtureSource(typeof(Devices), nameof(Devices.Present))]
public sealed class MaskUnitsTests(Device device)
{
    [Test]
    public void A_unit_lists_its_patches_column_by_column()
    {
        var units = new MaskUnits(4, 6, 2);
        var patches = new int[24];
        units.Order([5, 0, 1, 2, 3, 4], patches);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(units.Count, Is.EqualTo(6));
            Assert.That(patches[..8], Is.EqualTo(new[] { 16, 22, 17, 23, 0, 6, 1, 7 }));
            Assert.That(patches.Order(), Is.EqualTo(Enumerable.Range(0, 24)));
        }
    }

    [Test]
    public void Units_at_the_edge_are_cut()
    {
        var units = new MaskUnits(3, 5, 2);
        var patches = new int[15];
        units.Order([5, 4, 3, 2, 1, 0], patches);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(units.Count, Is.EqualTo(6));
            Assert.That(patches[..7], Is.EqualTo(new[] { 14, 12, 13, 10, 11, 4, 9 }));
            Assert.That(patches.Order(), Is.EqualTo(Enumerable.Range(0, 15)));
        }
    }

    [Test]
    public void A_unit_is_kept_or_removed_as_a_whole_but_the_last([Values(0.75, 0.7)] double ratio)
    {
        using var run = TestRun.On(device);
        var masking = new RandomMasking(ratio, new MaskUnits(8, 8, 2));
        var key = new BatchKey(new long[] { 3, 4, 5 }, Seed: 1, Epoch: 2);
        var mask = masking.Sample(key, run.Step);
        var removed = run.Step.ToArray<float>(mask.Mask);
        for (var image = 0; image < 3; image++)
        {
            int[] hidden =
            [
                .. from unit in Enumerable.Range(0, 16)
                   select (from i in Enumerable.Range(0, 4)
                           let patch = (((unit / 4 * 2) + (i / 2)) * 8) + (unit % 4 * 2) + (i % 2)
                           select (int)removed[(image * 64) + patch]).Sum(),
            ];
            using (Assert.EnterMultipleScope())
            {
                Assert.That(64 - hidden.Sum(), Is.EqualTo((int)(64 * (1 - ratio))));
                Assert.That(hidden.Count(h => h is not (0 or 4)), Is.EqualTo(ratio == 0.75 ? 0 : 1), "units that are split");
            }
        }
        Assert.That(removed[..64], Is.Not.EqualTo(removed[64..128]));
        Assert.That(masking.SampleHidden(key), Is.EqualTo(removed[..64].Select(r => r == 1)));
        var again = masking.Sample(key with { Samples = new long[] { 4 } }, run.Step);
        Assert.That(run.Step.ToArray<float>(again.Mask), Is.EqualTo(removed[64..128]), "a function of the sample alone");
    }

    [Test]
    public void A_side_of_nothing_is_refused() => Assert.That(
        () => new MaskUnits(4, 4, 0),
        Throws.ArgumentException.With.Message.EqualTo("mask units of 0 x 0 patches on a grid of 4 x 4, expected all at least 1"));
}
