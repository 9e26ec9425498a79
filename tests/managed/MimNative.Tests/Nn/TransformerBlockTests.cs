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
                var z = block.Forward(new Residual(x.At(0, 0), x.At(0, 1)), batch, default, Tensor.None, step, out saved);
                return run.Sum(z.Stream, z.Branch);
            },
            (Tensor dz, in TransformerBlock.Saved saved, Step step) =>
            {
                var dx = block.Backward(dz, saved, default, step);
                return run.Stack(dx, dx);
            });
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
                var y = block.Forward(new Residual(x, Tensor.None), 2, default, Tensor.None, step, out var first);
                var z = block.Forward(y, 2, default, Tensor.None, step, out var second);
                saved = (first, second);
                return run.Sum(z.Stream, z.Branch);
            },
            (Tensor dz, in (TransformerBlock.Saved First, TransformerBlock.Saved Second) saved, Step step) =>
                block.Backward(block.Backward(dz, saved.Second, default, step), saved.First, default, step));
    }
}
