using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests;

[TestFixtureSource(typeof(Devices), nameof(Devices.Present))]
public sealed class LayerScaleTests(Device device)
{
    [Test]
    public void Channels_are_scaled_by_gamma_and_samples_by_their_survival()
    {
        using var run = TestRun.On(device);
        Tensor Of(float[] values, params long[] shape) => run.Step.FromHost<float>(values, shape);
        Tensor gamma = Of([2, 3], 2), survival = Of([0, 10], 2), x = Of([1, 2, 3, 4], 2, 2), dy = Of([5, 6, 7, 8], 2, 2);
        var dgamma = Of([100, 100], 2);
        var y = run.Step.EmptyLike(x);
        Ops.LayerScale(y, x, gamma, survival, run.Step);
        var dx = Ops.LayerScaleBackward(dy, x, gamma, survival, dgamma, run.Step);
        var dropped = Ops.LayerScaleBackward(dy, Tensor.None, Tensor.None, survival, Tensor.None, run.Step);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(run.Step.ToArray<float>(y), Is.EqualTo(new float[] { 0, 0, 60, 120 }));
            Assert.That(run.Step.ToArray<float>(dx), Is.EqualTo(new float[] { 0, 0, 140, 240 }));
            Assert.That(run.Step.ToArray<float>(dgamma), Is.EqualTo(new float[] { 310, 420 }));
            Assert.That(run.Step.ToArray<float>(dropped), Is.EqualTo(new float[] { 0, 0, 70, 80 }));
        }
    }
}
