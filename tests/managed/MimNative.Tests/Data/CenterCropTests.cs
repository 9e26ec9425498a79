using MimNative.Data;
using MimNative.Recipes;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Data;

[TestFixture]
public sealed class CenterCropTests
{
    [TestCase(37, 53, 32, 2, 10)]  // offsets 2.5 and 10.5, half to even
    [TestCase(73, 55, 48, 12, 4)]
    [TestCase(48, 48, 48, 0, 0)]
    [TestCase(120, 93, 90, 15, 2)]  // 1.5
    [TestCase(3, 8, 8, -2, 0)]      // 2 above, 3 below
    public void Box_is_central(int height, int width, int view, int top, int left)
    {
        Assert.That(CenterCrop.Box(height, width, view, view), Is.EqualTo(new Box(top, left, view, view)));
    }

    [Test]
    public void View_is_resized_and_cut([Values(1.0, 0.875)] double share)
    {
        using var image = Pictures.Noise(60, 41, seed: 3);
        var settings = new TransformSettings { Kind = TransformKind.CenterCrop, Height = 28, Width = 28, CropShare = share };
        var pixels = new byte[3 * 28 * 28];
        settings.Create().Apply(image, [], pixels);

        int side = share == 1 ? 28 : 32;
        using var resized = image.Resized(side * 60 / 41, side, Interpolation.Bicubic);
        using var cropped = resized.Crop(CenterCrop.Box(resized.Height, resized.Width, 28, 28));
        Assert.That(pixels, Is.EqualTo(cropped.Pixels.ToArray()));
    }
}
