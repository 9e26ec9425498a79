using MimNative.Nn;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Nn;

/// <summary>The parts of a Swin transformer; whole ones are in VerifierTests.</summary>
[TestFixtureSource(typeof(Devices), nameof(Devices.Present))]
public sealed class SwinTests(Device device)
{
    [TestCase(8, 8, 4, 0, 4, 0)]
    [TestCase(8, 12, 4, 1, 4, 2)]
    [TestCase(4, 8, 4, 1, 4, 0)]   // the smaller side is not above the window
    [TestCase(6, 6, 12, 1, 6, 0)]
    public void Windows_are_clamped_and_shifted_as_upstream(int rows, int columns, int window, int block, int side, int shift) =>
        Assert.That(WindowPartition.OfBlock(rows, columns, window, block), Is.EqualTo(new WindowPartition(rows, columns, side, shift)));

    [Test]
    public void Windows_that_do_not_tile_the_grid_are_an_error() => Assert.That(
        () => WindowPartition.OfBlock(8, 10, 4, 0),
        Throws.ArgumentException.With.Message.EqualTo("windows of 4 tokens do not tile a grid of 8 x 10"));

    [Test]
    public void A_shifted_window_hides_tokens_that_the_roll_brought_together()
    {
        var partition = new WindowPartition(8, 8, 4, 2);
        int[] tokens = partition.Tokens();
        float[] mask = partition.Mask();
        Assert.That(tokens, Is.EquivalentTo(Enumerable.Range(0, 64)));
        for (var i = 0; i < mask.Length; i++)
        {
            var first = i / 256 * 16;
            int a = tokens[first + (i / 16 % 16)], b = tokens[first + (i % 16)];
            // Within a window, true neighbours are less than a window apart in both directions.
            var apart = Math.Abs((a / 8) - (b / 8)) >= 4 || Math.Abs((a % 8) - (b % 8)) >= 4;
            Assert.That(mask[i], Is.EqualTo(apart ? -100 : 0), $"tokens {a} and {b}");
        }
    }

    [Test]
    public void Patch_merging_takes_neighbours_in_upstreams_order()
    {
        using var run = TestRun.On(device);
        Assert.That(new TokenBlocks(2, 4, Side: 2, ColumnsOutside: true).Order(), Is.EqualTo(new[] { 0, 4, 1, 5, 2, 6, 3, 7 }));
    }

    [Test]
    public void Backward_of_patch_merging_matches_directional_derivative()
    {
        using var run = TestRun.On(device, seed: 3);
        var merging = new PatchMerging(run.Store.Root, 4, 6, dim: 5, eps: 1e-5f, WeightInits.Xavier);
        run.Allocate();
        GradientCheck.Layer(
            run, [2, 2 * 24, 5],
            (Tensor x, Step step, out PatchMerging.Saved saved) => merging.Forward(new Residual(x.At(0, 0), x.At(0, 1)), 2, step, out saved),
            (Tensor dy, in PatchMerging.Saved saved, Step step) =>
            {
                var dx = merging.Backward(dy, saved, step);
                return run.Stack(dx, dx);
            });
    }

    [Test]
    public void Backward_of_patch_splitting_matches_directional_derivative()
    {
        using var run = TestRun.On(device, seed: 4);
        var splitting = new PatchSplitting(run.Store.Root, 2, 3, dim: 6, eps: 1e-5f);
        run.Allocate();
        GradientCheck.Layer(
            run, [2 * 6, 6],
            (Tensor x, Step step, out PatchSplitting.Saved saved) => splitting.Forward(new Residual(x, Tensor.None), 2, step, out saved),
            splitting.Backward);
    }

    [Test]
    public void Patch_splitting_puts_the_parts_of_a_token_where_the_token_was()
    {
        // Parts 0, 1 of token 0 lie in the first row of a grid of 2 x 4, parts 2, 3 below them.
        Assert.That(new TokenBlocks(2, 4, Side: 2, ColumnsOutside: false).Order(), Is.EqualTo(new[] { 0, 1, 4, 5, 2, 3, 6, 7 }));
    }

    [Test]
    public void Backward_of_a_stage_matches_directional_derivative([Values(1, 2)] int depth)
    {
        using var run = TestRun.On(device, seed: 5);
        var stage = new SwinStage(run.Store.Root, 4, 8, window: 2, depth, new BlockSettings(6, 2, 2, 1e-5f));
        run.Allocate();
        GradientCheck.Layer(
            run, [2 * 32, 6],
            (Tensor x, Step step, out SwinStage.Saved saved) =>
            {
                var z = stage.Forward(x, 2, Tensor.None, step, out saved);
                return run.Sum(z.Stream, z.Branch);
            },
            stage.Backward);
    }
}
