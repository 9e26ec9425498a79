using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests;

[TestFixtureSource(typeof(Devices), nameof(Devices.Present))]
public sealed class DepthwiseConvTests(Device device)
{
    [Test]
    public void Neighbours_that_are_kept_count_and_the_bias_counts_everywhere()
    {
        using var run = TestRun.On(device);
        var step = run.Step;
        var x = step.FromHost<float>([1, 2, 3], 1, 1, 3, 1);
        var keep = step.FromHost<float>([1, 0, 1], 1, 1, 3);
        var w = step.FromHost<float>([7, 7, 7, 1, 10, 100, 7, 7, 7], 1, 3, 3);
        var y = Ops.DepthwiseConv(x, w, step.FromHost<float>([0.5f], 1), keep, step);
        Assert.That(step.ToArray<float>(y), Is.EqualTo(new[] { 10.5f, 301.5f, 30.5f }));

        var dy = step.FromHost<float>([1, 1, 1], 1, 1, 3, 1);
        var dw = step.FromHost<float>([0, 0, 0, 1, 0, 0, 0, 0, 0], 1, 3, 3);
        var dbias = step.FromHost<float>([1], 1);
        var dx = Ops.DepthwiseConvBackward(dy, x, w, keep, dw, dbias, step);
        Assert.That(step.ToArray<float>(dx), Is.EqualTo(new float[] { 11, 0, 110 }));
        Assert.That(step.ToArray<float>(dw), Is.EqualTo(new float[] { 0, 0, 0, 2, 4, 3, 0, 0, 0 }));
        Assert.That(step.ToArray<float>(dbias), Is.EqualTo(new float[] { 4 }));
        var none = Ops.DepthwiseConvBackward(dy, x, w, keep, dw, dbias, step, wantInput: false);
        Assert.That(none.IsAbsent, Is.True);
        Assert.That(step.ToArray<float>(dw)[4], Is.EqualTo(8));
    }
}
