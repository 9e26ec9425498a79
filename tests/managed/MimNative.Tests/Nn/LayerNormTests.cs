using MimNative.Nn;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Nn;

[TestFixtureSource(typeof(Devices), nameof(Devices.Present))]
public sealed class LayerNormTests(Device device)
{
    [Test]
    public void Backward_matches_directional_derivative([Values(1, 7)] int rows, [Values(5, 64)] int channels)
    {
        using var run = TestRun.On(device, seed: 2);
        var layer = new LayerNorm(run.Store.Root, channels, eps: 1e-6f);
        run.Allocate();
        GradientCheck.Layer(
            run, [rows, channels],
            (Tensor x, Step step, out LayerNorm.Saved saved) => layer.Forward(new Residual(x, Tensor.None), step, out saved),
            (Tensor dy, in LayerNorm.Saved saved, Step step) => layer.Backward(dy, Tensor.None, saved, step));
    }

    // The input is the pair (stream, branch); the output is the pair (y, sum), of which the sum goes on past the layer.
    [Test]
    public void The_residual_addition_hands_the_gradient_to_stream_and_branch_alike()
    {
        using var run = TestRun.On(device, seed: 3);
        var layer = new LayerNorm(run.Store.Root, 12, eps: 1e-6f);
        run.Allocate();
        GradientCheck.Layer(
            run, [2, 5, 12],
            (Tensor x, Step step, out LayerNorm.Saved saved) =>
            {
                var y = layer.Forward(new Residual(x.At(0, 0), x.At(0, 1)), step, out saved);
                return run.Stack(y, saved.Sum);
            },
            (Tensor dy, in LayerNorm.Saved saved, Step step) =>
            {
                var dx = layer.Backward(dy.At(0, 0), dy.At(0, 1), saved, step);
                return run.Stack(dx, dx);
            });
    }

    [Test]
    public void A_new_layer_gives_rows_of_mean_zero_and_variance_one()
    {
        using var run = TestRun.On(device);
        var layer = new LayerNorm(run.Store.Root, 256, eps: 1e-6f);
        run.Store.Allocate(run.Context);
        run.Store.Initialize(0, run.Step);
        var y = run.Step.ToArray<float>(layer.Forward(new Residual(run.Random(3, 256), Tensor.None), run.Step, out _));
        foreach (var row in y.Chunk(256))
        {
            Assert.That(row.Average(), Is.Zero.Within(1e-6));
            Assert.That(row.Average(v => v * v), Is.EqualTo(1).Within(1e-4));
        }
    }
}
