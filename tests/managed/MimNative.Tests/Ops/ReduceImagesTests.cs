using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests;

[TestFixtureSource(typeof(Devices), nameof(Devices.Present))]
public sealed class ReduceImagesTests(Device device)
{
    [Test]
    public void Each_pixel_is_the_mean_of_its_block()
    {
        using var run = TestRun.On(device);
        var images = run.Step.FromHost<float>([1, 3, 5, 7, 1, 3, 5, 11], 1, 1, 2, 4);
        var reduced = Ops.ReduceImages(images, 2, run.Step);
        Assert.That(reduced.Shape, Is.EqualTo(new long[] { 1, 1, 1, 2 }));
        Assert.That(run.Step.ToArray<float>(reduced), Is.EqualTo(new float[] { 2, 7 }));
    }
}
