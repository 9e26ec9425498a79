using MimNative.Masking;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Masking;

public sealed class BlockMaskingTests
{
    private TestRun _run = null!;

    [SetUp]
    public void Open() => _run = TestRun.On(Device.Cpu);

    [TearDown]
    public void Close() => _run.Dispose();

    [Test]
    public void Mask_patches_are_hidden_as_a_whole([Values(1, 2, 4)] int unit, [Values] MaskKind kind)
    {
        var hidden = Draw(new BlockMasking(kind, 0.6, 8, 12, unit), sample: 3);
        for (var i = 0; i < hidden.Length; i++)
        {
            Assert.That(hidden[i], Is.EqualTo(hidden[(i / 12 / unit * unit * 12) + (i % 12 / unit * unit)]), $"token {i}");
        }
    }

    [TestCase(0.6, 1, 58)]  // ceil(96 * 0.6)
    [TestCase(0.6, 2, 60)]  // ceil(24 * 0.6) patches of 4 tokens
    [TestCase(0.01, 4, 16)]
    public void A_random_mask_hides_the_share_rounded_up(double ratio, int unit, int count) =>
        Assert.That(Draw(new BlockMasking(MaskKind.Random, ratio, 8, 12, unit), sample: 5).Count(h => h), Is.EqualTo(count));

    [Test]
    public void Hidden_tokens_are_listed_where_every_image_has_as_many()
    {
        var masking = new BlockMasking(MaskKind.Random, 0.5, 1, 3, 1);
        Tensor Hidden(params bool[] tokens) => masking.FromTokens(tokens, _run.Step).Hidden;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                _run.Step.ToArray<int>(Hidden(true, false, true, false, true, true)), Is.EqualTo(new[] { 0, 2, 1, 2 }));
            Assert.That(Hidden(true, false, true, false, true, false).IsAbsent, "two and one");
            Assert.That(Hidden(false, false, false).IsAbsent, "none");
        }
    }

    [Test]
    public void Random_masks_hide_every_place_equally_often()
    {
        var counts = new int[24];
        var masking = new BlockMasking(MaskKind.Random, 0.5, 4, 6, 1);
        for (var sample = 0; sample < 2000; sample++)
        {
            var hidden = Draw(masking, sample);
            for (var i = 0; i < counts.Length; i++)
            {
                counts[i] += hidden[i] ? 1 : 0;
            }
        }
        Assert.That(counts, Has.All.InRange(1000 - 110, 1000 + 110));  // five deviations of 22
    }

    [Test]
    public void A_square_mask_is_one_rectangle_that_moves()
    {
        var masking = new BlockMasking(MaskKind.Square, 0.5, 10, 20, 1);
        var places = new HashSet<(int, int)>();
        for (var sample = 0; sample < 50; sample++)
        {
            var hidden = Draw(masking, sample);
            int first = Array.IndexOf(hidden, true), last = Array.LastIndexOf(hidden, true);
            int top = first / 20, left = first % 20, height = (last / 20) - top + 1, width = (last % 20) - left + 1;
            Assert.That((height, width), Is.EqualTo((7, 14)));
            Assert.That(hidden.Count(h => h), Is.EqualTo(7 * 14));
            places.Add((top, left));
        }
        Assert.That(places, Has.Count.GreaterThan(10));
    }

    [Test]
    public void A_block_wise_mask_reaches_the_share_in_few_rectangles()
    {
        var masking = new BlockMasking(MaskKind.Block, 0.4, 14, 14, 1);
        for (var sample = 0; sample < 50; sample++)
        {
            var hidden = Draw(masking, sample);
            Assert.That(hidden.Count(h => h), Is.InRange(40, 79));  // 79 = ceil(196 * 0.4) at most
            // Rectangles of 16 and more have few edges: a random mask of this share has about 175 changes from a token to its right.
            var edges = Enumerable.Range(0, 196).Count(i => i % 14 < 13 && hidden[i] != hidden[i + 1]);
            Assert.That(edges, Is.LessThan(80));
        }
    }

    [Test]
    public void A_grid_too_narrow_for_blocks_is_masked_all_the_same() =>
        Assert.That(Draw(new BlockMasking(MaskKind.Block, 0.5, 1, 64, 1), sample: 0).Count(h => h), Is.GreaterThan(0));

    [Test]
    public void An_order_hides_its_first_entries() => Assert.That(
        new BlockMasking(MaskKind.Random, 0.5, 2, 4, 2).FromOrder([1, 0]),
        Is.EqualTo(new[] { false, false, true, true, false, false, true, true }));

    [TestCase(2.0, new float[] { 0.75f, 0 })]
    [TestCase(1.0, new float[] { 1, 0, 0, 0, 1, 1, 0, 0 })]
    [TestCase(0.5, new float[] { 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0 })]
    public void The_loss_weighs_cells_of_any_size(double cell, float[] want)
    {
        var mask = new BlockMasking(MaskKind.Random, 0.5, 2, 4, 1, cell)
            .FromTokens([true, false, false, false, true, true, false, false], _run.Step);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_run.Step.ToArray<float>(mask.Pixels), Is.EqualTo(want));
            Assert.That(_run.Step.ToArray<float>(mask.Tokens), Is.EqualTo(new float[] { 1, 0, 0, 0, 1, 1, 0, 0 }));
        }
    }

    [Test]
    public void All_pixels_may_count()
    {
        var mask = new BlockMasking(MaskKind.Random, 0.5, 2, 2, 1, allPixels: true).FromTokens([true, false, false, false], _run.Step);
        Assert.That(_run.Step.ToArray<float>(mask.Pixels), Has.All.EqualTo(1));
    }

    [Test]
    public void Mask_patches_that_do_not_divide_the_grid_are_an_error() => Assert.That(
        () => new BlockMasking(MaskKind.Random, 0.5, 14, 14, 4),
        Throws.ArgumentException.With.Message.EqualTo("mask patches of 4 x 4 tokens do not divide a grid of 14 x 14"));

    private static bool[] Draw(BlockMasking masking, long sample) =>
        masking.SampleHidden(new BatchKey(new[] { sample }, Seed: 1, Epoch: 2));
}
