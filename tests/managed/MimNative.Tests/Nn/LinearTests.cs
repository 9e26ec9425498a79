using MimNative.Nn;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Nn;

[TestFixtureSource(typeof(Devices), nameof(Devices.Present))]
public sealed class LinearTests(Device device)
{
    [Test]
    public void Backward_matches_directional_derivative([Values(1, 7)] int rows, [Values(5, 32)] int inputs)
    {
        using var run = TestRun.On(device, seed: 1);
        var layer = new Linear(run.Store.Root, inputs, outputs: 9);
        run.Allocate();
        GradientCheck.Layer<Linear.Saved>(
            run, [rows, inputs], layer.Forward, (Tensor dy, in Linear.Saved saved, Step step) => layer.Backward(dy, saved, step));
    }

    [Test]
    public void The_inputs_gradient_is_left_out_where_it_is_not_wanted()
    {
        using var run = TestRun.On(device);
        var layer = new Linear(run.Store.Root, 4, 3);
        run.Allocate();
        var y = layer.Forward(run.Random(2, 4), run.Step, out var saved);
        Assert.That(layer.Backward(y, saved, run.Step, wantInput: false).IsAbsent);
        Assert.That(run.Step.ToArray<float>(run.Store["weight"].Grad), Has.Some.Not.Zero);
    }
}
