using MimNative.Nn;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Nn;

[TestFixtureSource(typeof(Devices), nameof(Devices.Present))]
public sealed class TransformerBlockTests(Device device)
{
    [TestCase(1, 3)]
    [TestCase(2, 5)]
    public void Backward_matches_directional_derivative(int batch, int tokens)
    {
        using var run = TestRun.On(device, seed: 7);
        var block = new TransformerBlock(run.Store.Root, new BlockSettings(12, 3, 2, 1e-6f));
        run.Allocate();
        GradientCheck.Layer(
            run, [2, batch * tokens, 12],
            (Tensor x, Step step, out TransformerBlock.Saved saved) =>
            {
                var z = Forward(block, new Residual(x.At(0, 0), x.At(0, 1)), batch, step, out saved);
                return run.Sum(z.Stream, z.Branch);
            },
            (Tensor dz, in TransformerBlock.Saved saved, Step step) =>
            {
                var dx = block.Backward(dz, saved, default, step);
                return run.Stack(dx, dx);
            });
    }

    [Test]
    public void Backward_of_a_block_that_makes_its_activations_again([Values(0, 0.5)] double layerScale)
    {
        using var run = TestRun.On(device, seed: 10);
        var block = new TransformerBlock(run.Store.Root, new BlockSettings(12, 3, 2, 1e-6f) { LayerScale = layerScale });
        run.Allocate();
        float[] x = run.Numbers(2 * 5 * 12), dz = run.Numbers(x.Length);
        (float[] Dx, float[] Grads) Run(bool recompute)
        {
            using var step = new Step(run.Context) { Recompute = recompute };
            step.Reserve(1 << 20);
            MimNative.Ops.Fill(run.Store.Grads, 0, step);
            Forward(block, new Residual(step.FromHost<float>(x, 10, 12), Tensor.None), 2, step, out var saved);
            // what forward lent is used by others before backward begins
            using (step.Temporaries(all: true))
            {
                MimNative.Ops.Fill(step.Empty(DType.F32, 1 << 16), float.NaN, step);
            }
            var dx = block.Backward(step.FromHost<float>(dz, 10, 12), saved, default, step);
            return (step.ToArray<float>(dx), step.ToArray<float>(run.Store.Grads));
        }
        var (kept, again) = (Run(recompute: false), Run(recompute: true));
        Assert.That(GradientCheck.RelativeError(again.Dx, kept.Dx), Is.LessThan(1e-6));
        Assert.That(GradientCheck.RelativeError(again.Grads, kept.Grads), Is.LessThan(1e-6));
    }

    [Test]
    public void A_block_can_be_called_twice_in_a_step()
    {
        using var run = TestRun.On(device, seed: 8);
        var block = new TransformerBlock(run.Store.Root, new BlockSettings(8, 2, 2, 1e-6f));
        run.Allocate();
        GradientCheck.Layer(
            run, [4, 8],
            (Tensor x, Step step, out (TransformerBlock.Saved First, TransformerBlock.Saved Second) saved) =>
            {
                var y = Forward(block, new Residual(x, Tensor.None), 2, step, out var first);
                var z = Forward(block, y, 2, step, out var second);
                saved = (first, second);
                return run.Sum(z.Stream, z.Branch);
            },
            (Tensor dz, in (TransformerBlock.Saved First, TransformerBlock.Saved Second) saved, Step step) =>
                block.Backward(block.Backward(dz, saved.Second, default, step), saved.First, default, step));
    }

    // beside them each LayerNorm's mean and deviation and, where attention is kept, each head's log-sum-exp: one number a row
    [TestCase(false, 10, 4 + 4)]
    [TestCase(true, 2, 4)]
    public void What_a_block_keeps_is_ten_channels_a_token_or_its_two_sums(bool recompute, int channels, int more)
    {
        const int Dim = 64, Rows = 2 * 16;
        using var run = TestRun.On(device);
        var block = new TransformerBlock(run.Store.Root, new BlockSettings(Dim, 4, 4, 1e-6f));
        run.Allocate();
        long Planned(int depth)
        {
            using var step = new Step(run.Context) { Recompute = recompute };
            return step.Plan(planned =>
            {
                Residual z = new(planned.Empty(DType.F32, Rows, Dim), Tensor.None);
                var branch = planned.Empty(DType.F32, Rows, Dim);
                for (var i = 0; i < depth; i++)
                {
                    z = block.Forward(z, 2, default, Tensor.None, Asked.All, branch, planned, out _);
                }
            }).Arena;
        }

        Assert.That(Planned(4) - Planned(3), Is.EqualTo(sizeof(float) * Rows * ((channels * Dim) + more)));
    }

    [Test]
    public void Asking_for_some_tokens_changes_no_number([Values(0, 0.5)] double layerScale)
    {
        const int Batch = 2, Tokens = 5, Dim = 12;
        using var run = TestRun.On(device, seed: 9);
        var block = new TransformerBlock(run.Store.Root, new BlockSettings(Dim, 3, 2, 1e-6f) { LayerScale = layerScale });
        run.Allocate();
        int[] ids = [3, 0, 1, 2];      // patches: a token less, as the class token stands before them
        float[] x = run.Numbers(Batch * Tokens * Dim), dz = run.Numbers(ids.Length * Dim);

        (float[] Z, float[] Dx, float[] Grads) Run(bool ask)
        {
            run.Step.Begin();
            MimNative.Ops.Fill(run.Store.Grads, 0, run.Step);
            var asked = new Asked(run.Step.FromHost<int>(ids, Batch, 2), First: 1);
            var stream = new Residual(run.Step.FromHost<float>(x, Batch * Tokens, Dim), Tensor.None);
            var branch = run.Step.Empty(DType.F32, ask ? ids.Length : Batch * Tokens, Dim);
            var z = block.Forward(stream, Batch, default, Tensor.None, ask ? asked : Asked.All, branch, run.Step, out var saved);
            var sum = run.Sum(z.Stream, z.Branch);
            var gradient = run.Step.FromHost<float>(dz, ids.Length, Dim);
            if (!ask)
            {
                sum = asked.Rows(sum.Reshape(Batch, Tokens, Dim), run.Step);
                gradient = asked.RowsBackward(gradient, Tokens, run.Step);
            }
            var dx = block.Backward(gradient, saved, default, run.Step);
            return (run.Step.ToArray<float>(sum), run.Step.ToArray<float>(dx), run.Step.ToArray<float>(run.Store.Grads));
        }

        var (some, all) = (Run(ask: true), Run(ask: false));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(GradientCheck.RelativeError(some.Z, all.Z), Is.LessThan(1e-6));
            Assert.That(GradientCheck.RelativeError(some.Dx, all.Dx), Is.LessThan(1e-6));
            Assert.That(GradientCheck.RelativeError(some.Grads, all.Grads), Is.LessThan(1e-6));
        }
    }

    private static Residual Forward(TransformerBlock block, Residual x, int batch, Step step, out TransformerBlock.Saved saved) =>
        block.Forward(x, batch, default, Tensor.None, Asked.All, step.EmptyLike(x.Stream), step, out saved);
}
