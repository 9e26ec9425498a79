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
                byte[] first = new byte[3 * viewHeight * viewWidth], second = new byte[first.Length];
                Array.Fill(second, (byte)255);
                transform.Apply(image, uniforms, first);
                transform.Apply(image, uniforms, second);
                Assert.That(second, Is.EqualTo(first), $"{kind} to {viewHeight} x {viewWidth}");  // every byte was written
            }
        }
    }

    [Test]
    public void Without_flip_no_number_mirrors()
    {
        using var image = Pictures.Noise(32, 32, seed: 1);
        foreach (var kind in (TransformKind[])[TransformKind.RandomResizedCrop, TransformKind.SimpleResizedCrop])
        {
            var transform = new TransformSettings { Kind = kind, Height = 32, Width = 32, Flip = 0 }.Create();
            var uniforms = new float[transform.UniformCount];
            byte[] first = new byte[3 * 32 * 32], second = new byte[3 * 32 * 32];
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
        new(new TransformSettings { Kind = TransformKind.SimpleResizedCrop, Padding = -1 }, "padding"),
        new(new TransformSettings { Kind = TransformKind.CenterCrop, CropShare = 1.5 }, "crop share"),
    ];

    [TestCaseSource(nameof(Wrong))]
    public void Wrong_setting_is_named_in_the_error(TransformSettings settings, string named)
    {
        Assert.That(settings.Create, Throws.ArgumentException.With.Message.Contains(named));
    }
}
