using MimNative.Data;
using MimNative.Recipes;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Data;

[TestFixture]
public sealed class TransformSettingsTests
{
    [TestCase(1, 1)]
    [TestCase(1, 2)]
    [TestCase(2, 1)]
    [TestCase(3, 20000)]
    [TestCase(20000, 3)]
    [TestCase(5, 6)]
    [TestCase(300, 200)]
    public void Pictures_of_any_size_give_a_view(int height, int width)
    {
        using var image = Pictures.Noise(height, width, seed: 1);
        foreach (var kind in Enum.GetValues<TransformKind>())
        {
            foreach (var (viewHeight, viewWidth) in ((int, int)[])[(32, 32), (16, 48), (48, 16)])
            {
                var transform = new TransformSettings { Kind = kind, Height = viewHeight, Width = viewWidth }.Create();
                var uniforms = new float[transform.UniformCount];
                Array.Fill(uniforms, 0.4f);
                var values = new float[3 * viewHeight * viewWidth];
                Array.Fill(values, float.NaN);
                transform.Apply(image, uniforms, values);
                Assert.That(values, Has.All.InRange(-3f, 3f), $"{kind} to {viewHeight} x {viewWidth}");
            }
        }
    }

    [Test]
    public void A_crop_that_is_normalised_afterwards_is_the_view([Values] TransformKind kind, [Values(0.2f, 0.8f)] float uniform)
    {
        const int Height = 24, Width = 20;
        using var image = Pictures.Noise(50, 37, seed: 2);
        var settings = new TransformSettings { Kind = kind, Height = Height, Width = Width };
        var transform = settings.Create();
        var uniforms = new float[transform.UniformCount];
        Array.Fill(uniforms, uniform);
        var values = new float[3 * Height * Width];
        var pixels = new byte[values.Length];
        transform.Apply(image, uniforms, values);
        transform.Crop(image, uniforms, pixels);

        using var run = TestRun.On(Device.Cpu);
        float[] mean = [.. settings.Mean], std = [.. settings.Std];
        var normalized = Ops.NormalizeImages(
            run.Step.FromHost<byte>(pixels, 1, Height, Width, 3), run.Step.FromHost<float>(mean, 3), run.Step.FromHost<float>(std, 3), run.Step);
        Assert.That(run.Step.ToArray<float>(normalized), Is.EqualTo(values));
        Assert.That(pixels.Distinct().Count(), Is.GreaterThan(50));
    }

    [Test]
    public void Without_flip_no_number_mirrors()
    {
        using var image = Pictures.Noise(32, 32, seed: 1);
        foreach (var kind in (TransformKind[])[TransformKind.RandomResizedCrop, TransformKind.SimpleResizedCrop])
        {
            var transform = new TransformSettings { Kind = kind, Height = 32, Width = 32, Flip = 0 }.Create();
            var uniforms = new float[transform.UniformCount];
            float[] first = new float[3 * 32 * 32], second = new float[3 * 32 * 32];
            transform.Apply(image, uniforms, first);
            uniforms[^1] = 0.9f;
            transform.Apply(image, uniforms, second);
            Assert.That(second, Is.EqualTo(first), kind.ToString());
        }
    }

    private static readonly TestCaseData[] Wrong =
    [
        new(new TransformSettings { Kind = (TransformKind)9 }, "kind 9"),
        new(new TransformSettings { Flip = 1.5 }, "flip"),
        new(new TransformSettings { Height = 0 }, "height 0"),
        new(new TransformSettings { ScaleMin = 0 }, "scale"),
        new(new TransformSettings { ScaleMin = 0.5, ScaleMax = 0.4 }, "scale"),
        new(new TransformSettings { RatioMin = 2, RatioMax = 1 }, "ratio"),
        new(new TransformSettings { RatioMin = double.NaN }, "ratio"),
        new(new TransformSettings { Std = [1, 1, 0] }, "std"),
        new(new TransformSettings { Mean = [0] }, "mean"),
        new(new TransformSettings { Kind = TransformKind.SimpleResizedCrop, Padding = -1 }, "padding"),
        new(new TransformSettings { Kind = TransformKind.CenterCrop, CropShare = 1.5 }, "crop share"),
    ];

    [TestCaseSource(nameof(Wrong))]
    public void Wrong_setting_is_named_in_the_error(TransformSettings settings, string named)
    {
        Assert.That(settings.Create, Throws.ArgumentException.With.Message.Contains(named));
    }
}
