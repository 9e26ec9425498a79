using MimNative.Nn;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Nn;

/// <summary>ConvMAE's convolutional blocks.</summary>
[TestFixtureSource(typeof(Devices), nameof(Devices.Present))]
public sealed class ConvBlockTests(Device device)
{
    private const int Rows = 5, Columns = 4, Dim = 6, Batch = 2, Tokens = Rows * Columns;

    private static float[] Keep { get; } = [.. Enumerable.Range(0, Batch * Tokens).Select(i => i % 3 == 1 ? 0f : 1f)];

    [Test]
    public void Backward_of_a_stage_matches_directional_derivative([Values] bool masked, [Values] bool recompute)
    {
        using var run = TestRun.On(device, seed: 31);
        using var step = new Step(run.Context) { Recompute = recompute };
        step.Reserve(8 << 20);
        var stage = new ConvStage(run.Store.Root, "embed", "blocks", Rows, Columns, Dim, 2, 2, 1e-5f, WeightInits.Convolution);
        run.Allocate();
        Tensor Mask() => masked ? step.FromHost<float>(Keep, Batch, Rows, Columns) : Tensor.None;
        GradientCheck.Layer(
            run, [Batch, Tokens, Dim],
            (Tensor x, Step _, out ConvStage.Saved saved) =>
            {
                step.Begin();
                return stage.Forward(x, Mask(), step, out saved);
            },
            (Tensor dy, in ConvStage.Saved saved, Step _) => stage.Backward(dy, saved, step));
    }

    [Test]
    public void A_removed_token_reaches_no_other()
    {
        using var run = TestRun.On(device, seed: 32);
        var stage = new ConvStage(run.Store.Root, "embed", "blocks", Rows, Columns, Dim, 2, 2, 1e-5f, WeightInits.Convolution);
        run.Allocate();
        var x = run.Numbers(Batch * Tokens * Dim);
        float[] Run(Func<int, float, float> change, bool masked)
        {
            run.Step.Begin();
            float[] changed = [.. x.Select((v, i) => change(i / Dim, v))];
            var keep = masked ? run.Step.FromHost<float>(Keep, Batch, Rows, Columns) : Tensor.None;
            return run.Step.ToArray<float>(
                stage.Forward(run.Step.FromHost<float>(changed, Batch, Tokens, Dim), keep, run.Step, out _));
        }
        float[] Kept(float[] y) => [.. y.Where((_, i) => Keep[i / Dim] == 1)];
        float Changed(int token, float v) => Keep[token] == 0 ? -v : v;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Kept(Run(Changed, masked: true)), Is.EqualTo(Kept(Run((_, v) => v, masked: true))));
            Assert.That(Kept(Run(Changed, masked: false)), Is.Not.EqualTo(Kept(Run((_, v) => v, masked: false))));
        }
    }

    [Test]
    public void A_block_keeps_what_it_says([Values] bool recompute)
    {
        using var run = TestRun.On(device, seed: 33);
        long Planned(int depth)
        {
            using var store = new ParameterStore();
            var stage = new ConvStage(store.Root, "embed", "blocks", 8, 8, 16, depth, 4, 1e-5f, WeightInits.Convolution);
            store.Allocate(run.Context);
            using var step = new Step(run.Context) { Recompute = recompute };
            return step.Plan(s => stage.Forward(s.Empty(DType.F32, 1, 64, 16), Tensor.None, s, out _)).Arena;
        }
        // and the mean and deviation of each LayerNorm
        Assert.That(Planned(4) - Planned(3), Is.EqualTo(sizeof(float) * 64 * ((recompute ? 2 : 8) * 16 + 4)));
    }
}
