using MimNative.Encoders;
using MimNative.Masking;
using MimNative.Nn;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Encoders;

[TestFixtureSource(typeof(Devices), nameof(Devices.Present))]
public sealed class VitEncoderTests(Device device)
{
    private static readonly VitSettings Settings = new(new PatchGrid(8, 12, 3, 4), Dim: 12, Depth: 2, Heads: 3, MlpRatio: 2);

    [Test]
    public void Backward_matches_directional_derivative()
    {
        using var run = TestRun.On(device, seed: 13);
        var encoder = new VitEncoder(run.Store.Root, Settings);
        run.Allocate();
        GradientCheck.Layer(
            run, [2, 3, 8, 12],
            (Tensor x, Step step, out VitEncoder.Saved saved) => encoder.Forward(
                x, Keeping(step.FromHost<int>([4, 1, 3, 0, 5, 2], 2, 3)), key: null, step, out saved),
            (Tensor dy, in VitEncoder.Saved saved, Step step) =>
            {
                var dimages = MimNative.Ops.Filled(0, DType.F32, step, 2, 3, 8, 12);
                encoder.Backward(dy, dimages, saved, step);
                return dimages;
            });
    }

    [Test]
    public void Without_a_mask_the_tokens_are_those_of_a_mask_that_keeps_all()
    {
        using var run = TestRun.On(device, seed: 14);
        var encoder = new VitEncoder(run.Store.Root, Settings);
        run.Allocate();
        var images = run.Random(2, 3, 8, 12);
        var all = encoder.Forward(images, run.Step);
        var kept = encoder.Forward(images, Keeping(TokenOrder.All(Settings.Grid.Count).Ids(2, run.Step)), key: null, run.Step, out _);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(all.Shape, Is.EqualTo(new long[] { 2, 7, 12 }));
            Assert.That(run.Step.ToArray<float>(kept), Is.EqualTo(run.Step.ToArray<float>(all)));
        }
    }

    [Test]
    public void The_order_in_which_patches_are_kept_changes_nothing_but_the_order()
    {
        using var run = TestRun.On(device, seed: 15);
        var encoder = new VitEncoder(run.Store.Root, Settings);
        run.Allocate();
        var images = run.Random(1, 3, 8, 12);
        float[][] Tokens(params int[] ids) =>
            [.. run.Step.ToArray<float>(encoder.Forward(images, Keeping(run.Step.FromHost<int>(ids, 1, 3)), key: null, run.Step, out _)).Chunk(12)];
        float[][] forth = Tokens(0, 2, 5), back = Tokens(5, 2, 0);
        float[] turned = [.. back[0], .. back[3], .. back[2], .. back[1]];
        Assert.That(GradientCheck.RelativeError(turned, [.. forth.SelectMany(t => t)]), Is.LessThan(1e-6));
    }

    [Test]
    public void The_position_table_is_not_trained()
    {
        using var run = TestRun.On(device);
        _ = new VitEncoder(run.Store.Root, Settings);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(run.Store["pos_embed"].IsTrainable, Is.False);
            Assert.That(run.Store["pos_embed"].Shape, Is.EqualTo(new long[] { 1, 7, 12 }));
            Assert.That(run.Store["patch_embed.proj.weight"].Shape, Is.EqualTo(new long[] { 12, 3, 4, 4 }));
        }
    }

    private static TokenMask Keeping(Tensor ids) => new(ids, Tensor.None, Tensor.None, Tensor.None);
}
