using MimNative.Masking;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Masking;

[TestFixtureSource(typeof(Devices), nameof(Devices.Present))]
public sealed class RandomMaskingTests(Device device)
{
    private const int Patches = 30, Keep = 7;

    private readonly RandomMasking _masking = new(0.75, Patches);
    private TestRun _run = null!;

    [SetUp]
    public void Open() => _run = TestRun.On(device);

    [TearDown]
    public void Close() => _run.Dispose();

    [Test]
    public void A_mask_is_a_function_of_seed_epoch_and_sample_alone()
    {
        var alone = Kept(5, 2, 17)[0];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Kept(5, 2, 3, 17, 4_000_000_000)[1], Is.EqualTo(alone), "in a batch of others");
            Assert.That(Kept(5, 2, 17, 17), Has.All.EqualTo(alone), "twice in a batch");
            Assert.That(Kept(6, 2, 17)[0], Is.Not.EqualTo(alone), "another seed");
            Assert.That(Kept(5, 3, 17)[0], Is.Not.EqualTo(alone), "another epoch");
            Assert.That(Kept(5, 2, 18)[0], Is.Not.EqualTo(alone), "another sample");
        }
    }

    [Test]
    public void The_parts_of_a_mask_say_the_same()
    {
        var mask = Sample(1, 0, 1, 2, 3);
        int[][] keep = Rows<int>(mask.IdsKeep), masked = Rows<int>(mask.IdsMasked), restore = Rows<int>(mask.IdsRestore);
        var removed = Rows<float>(mask.Mask);
        for (var b = 0; b < 3; b++)
        {
            int[] shuffle = [.. keep[b], .. masked[b]];
            using (Assert.EnterMultipleScope())
            {
                Assert.That(keep[b], Has.Length.EqualTo(Keep));
                Assert.That(shuffle, Is.EquivalentTo(Enumerable.Range(0, Patches)));
                Assert.That(restore[b].Select(i => shuffle[i]), Is.EqualTo(Enumerable.Range(0, Patches)));
                Assert.That(removed[b], Is.EqualTo(Enumerable.Range(0, Patches).Select(i => masked[b].Contains(i) ? 1f : 0f)));
            }
        }
    }

    [Test]
    public void Every_patch_is_kept_equally_often()
    {
        const int samples = 4000;
        var kept = new int[Patches];
        foreach (var id in Kept(9, 0, [.. Enumerable.Range(0, samples).Select(i => (long)i)]).SelectMany(ids => ids))
        {
            kept[id]++;
        }
        double share = (double)Keep / Patches, deviation = Math.Sqrt(share * (1 - share) / samples);
        Assert.That(kept, Has.All.Matches<int>(k => Math.Abs((k / (double)samples) - share) < 4.5 * deviation));
    }

    [Test]
    public void The_smallest_noise_is_kept_and_of_equal_noise_the_first()
    {
        var mask = new RandomMasking(0.5, 6).FromNoise(_run.Step.FromHost<float>([0.5f, 0.1f, 0.5f, 0.9f, 0.5f, 0.2f], 1, 6), _run.Step);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_run.Step.ToArray<int>(mask.IdsKeep), Is.EqualTo(new[] { 1, 5, 0 }));
            Assert.That(_run.Step.ToArray<int>(mask.IdsMasked), Is.EqualTo(new[] { 2, 4, 3 }));
        }
    }

    [TestCase(0.99)]
    [TestCase(0.001)]
    public void A_ratio_that_keeps_or_removes_nothing_is_an_error(double ratio)
    {
        // 10 patches: 0.99 keeps none, and 0.001 removes one; of a single patch nothing can be both kept and removed
        var patches = ratio > 0.5 ? 10 : 1;
        Assert.That(
            () => new RandomMasking(ratio, patches).FromNoise(_run.Random(1, patches), _run.Step),
            Throws.ArgumentException.With.Message.Contains($"of {patches} patches"));
    }

    private TokenMask Sample(long seed, long epoch, params long[] samples)
    {
        _run.Step.Begin();
        return _masking.Sample(new BatchKey(samples, seed, epoch), _run.Step);
    }

    private int[][] Kept(long seed, long epoch, params long[] samples) => Rows<int>(Sample(seed, epoch, samples).IdsKeep);

    private T[][] Rows<T>(Tensor tensor) where T : unmanaged => [.. _run.Step.ToArray<T>(tensor).Chunk((int)tensor[1])];
}
