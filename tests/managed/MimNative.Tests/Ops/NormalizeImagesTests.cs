using MimNative.Runtime;
using MimNative.Tests.Data;
using NUnit.Framework;

namespace MimNative.Tests;

public sealed class NormalizeImagesTests
{
    [Test]
    public void Pixels_become_the_values_that_an_image_is_normalised_to()
    {
        using var image = Pictures.Noise(24, 20, seed: 2);
        float[] mean = [0.485f, 0.456f, 0.406f], std = [0.229f, 0.224f, 0.225f], values = new float[3 * 24 * 20];
        MimNative.Ops.Normalize(image, values, mean, std);
        using var run = TestRun.On(Device.Cpu);
        var normalized = MimNative.Ops.NormalizeImages(
            run.Step.FromHost<byte>(image.Pixels, 1, 24, 20, 3), run.Step.FromHost<float>(mean, 3), run.Step.FromHost<float>(std, 3), run.Step);
        Assert.That(normalized.Shape.ToArray(), Is.EqualTo(new long[] { 1, 3, 24, 20 }));
        Assert.That(run.Step.ToArray<float>(normalized), Is.EqualTo(values));
    }
}
