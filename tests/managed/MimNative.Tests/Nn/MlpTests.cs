using MimNative.Nn;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Nn;

[TestFixtureSource(typeof(Devices), nameof(Devices.Present))]
public sealed class MlpTests(Device device)
{
    [Test]
    public void Backward_matches_directional_derivative([Values(1, 7)] int rows, [Values(4, 16)] int dim)
    {
        using var run = TestRun.On(device, seed: 6);
        var layer = new Mlp(run.Store.Root, dim, hidden: 3 * dim);
        run.Allocate();
        GradientCheck.Layer<Mlp.Saved>(run, [rows, dim], layer.Forward, layer.Backward);
    }
}
