using MimNative.Encoders;
using MimNative.Masking;
using MimNative.Nn;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Encoders;

/// <summary>ConvMAE's encoder; its numbers are in VerifierTests.</summary>
[TestFixtureSource(typeof(Devices), nameof(Devices.Present))]
public sealed class ConvVitEncoderTests(Device device)
{
    private static readonly ConvVitSettings Settings = new(
        new PatchGrid(16, 24, 3, 8), new ConvVitStage(2, 20, 1, 2), new ConvVitStage(2, 24, 2, 2), new ConvVitStage(2, 32, 1, 2), Heads: 2)
    {
        Position = PositionKind.Learned,
    };

    [Test]
    public void Backward_matches_directional_derivative([Values] bool masked)
    {
        using var run = TestRun.On(device, seed: 41);
        var encoder = new ConvVitEncoder(run.Store.Root, Settings);
        run.Allocate();
        GradientCheck.Layer(
            run, [2, 3, 16, 24],
            (Tensor x, Step step, out object saved) => encoder.ForwardVisible(
                x, masked ? Keeping(step, [4, 1, 3, 0, 5, 2]) : default, key: null, step, out saved),
            (Tensor dy, in object saved, Step step) =>
            {
                var dimages = MimNative.Ops.Filled(0, DType.F32, step, 2, 3, 16, 24);
                encoder.BackwardVisible(dy, dimages, saved, step);
                return dimages;
            },
            h: 1.0 / 512);
    }

    [Test]
    public void What_is_removed_changes_no_token()
    {
        using var run = TestRun.On(device, seed: 42);
        var encoder = new ConvVitEncoder(run.Store.Root, Settings);
        run.Allocate();
        var pixels = run.Numbers(3 * 16 * 24);
        // patch 1 lies in rows 0 to 7 and columns 8 to 15
        static bool IsOfPatchOne(int i) => i / 24 % 16 < 8 && i % 24 is >= 8 and < 16;
        float[] Tokens(bool changed, bool masked)
        {
            run.Step.Begin();
            float[] image = [.. pixels.Select((v, i) => changed && IsOfPatchOne(i) ? v + 1 : v)];
            var mask = masked ? Keeping(run.Step, [5, 0, 2, 3, 4], batch: 1) : default;
            return run.Step.ToArray<float>(
                encoder.ForwardVisible(run.Step.FromHost<float>(image, 1, 3, 16, 24), mask, key: null, run.Step, out _));
        }
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Tokens(changed: true, masked: true), Is.EqualTo(Tokens(changed: false, masked: true)));
            Assert.That(Tokens(changed: true, masked: false), Is.Not.EqualTo(Tokens(changed: false, masked: false)));
        }
    }

    [Test]
    public void Without_a_mask_the_tokens_are_those_of_a_mask_that_keeps_all()
    {
        using var run = TestRun.On(device, seed: 43);
        var encoder = new ConvVitEncoder(run.Store.Root, Settings);
        run.Allocate();
        var images = run.Random(1, 3, 16, 24);
        var all = encoder.ForwardVisible(images, default, key: null, run.Step, out _);
        var kept = encoder.ForwardVisible(images, Keeping(run.Step, [0, 1, 2, 3, 4, 5], batch: 1), key: null, run.Step, out _);
        Assert.That(all.Shape, Is.EqualTo(new long[] { 1, 6, 32 }));
        Assert.That(
            GradientCheck.RelativeError(run.Step.ToArray<float>(kept), run.Step.ToArray<float>(all)), Is.LessThan(1e-6));
    }

    [Test]
    public void Stages_that_do_not_make_the_patch_are_refused()
    {
        using var store = new ParameterStore();
        Assert.That(
            () => new ConvVitEncoder(store.Root, Settings with { First = Settings.First with { Patch = 4 } }),
            Throws.ArgumentException.With.Message.EqualTo("stages with patches of 4, 2 and 2 do not make patches of 8 pixels"));
    }

    private static TokenMask Keeping(Step step, int[] ids, int batch = 2) =>
        new(step.FromHost<int>(ids, batch, ids.Length / batch), Tensor.None, Tensor.None, Tensor.None);
}
