using FsCheck.Fluent;
using FsCheck;
using MimNative.Data;
using MimNative.Recipes;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Data;

[TestFixture]
public sealed class SimpleResizedCropTests
{
    private static TransformSettings Settings(int height, int width) =>
        new() { Kind = TransformKind.SimpleResizedCrop, Height = height, Width = width, Interpolation = Interpolation.Bilinear };

    // Sizes that torchvision 0.21 resized these pictures to.
    [TestCase(37, 53, 32, 32, 45)]
    [TestCase(100, 75, 48, 64, 48)]
    [TestCase(64, 64, 64, 64, 64)]
    [TestCase(7, 200, 16, 16, 457)]
    [TestCase(120, 93, 56, 72, 56)]
    public void Shorter_side_becomes_the_views(int height, int width, int size, int resizedHeight, int resizedWidth)
    {
        Assert.That(ShortSide.Size(height, width, size, size), Is.EqualTo((resizedHeight, resizedWidth)));
    }

    [Test]
    public void Resized_picture_covers_the_view_with_one_side_exact()
    {
        Prop.ForAll(Boxes.Sizes, Boxes.Sizes, (size, other) =>
        {
            var view = (Height: other.Height % 300 + 1, Width: other.Width % 300 + 1);
            var window = ShortSide.Window(size.Height, size.Width, view.Height, view.Width, 0.3f);
            var (height, width) = ShortSide.Size(window.Height, window.Width, view.Height, view.Width);
            return Boxes.IsInside(window, size.Height, size.Width) && height >= view.Height && width >= view.Width &&
                   (height == view.Height || width == view.Width);
        }).QuickCheckThrowOnFailure();
    }

    [Test]
    public void Box_lies_inside_the_padded_picture()
    {
        Prop.ForAll(Boxes.Sizes, Boxes.Uniforms(3), (size, uniforms) =>
        {
            var (height, width) = ShortSide.Size(size.Height, size.Width, 32, 48);
            var box = SimpleResizedCrop.Box(height, width, 32, 48, padding: 4, uniforms);
            return Boxes.IsInside(box, height + 8, width + 8) && (box.Height, box.Width) == (32, 48);
        }).QuickCheckThrowOnFailure();
    }

    [Test]
    public void Box_reaches_every_place_and_no_other()
    {
        Assert.That(SimpleResizedCrop.Box(32, 45, 32, 32, 4, [0f, 0f]), Is.EqualTo(new Box(0, 0, 32, 32)));
        Assert.That(SimpleResizedCrop.Box(32, 45, 32, 32, 4, [0.99999994f, 0.99999994f]), Is.EqualTo(new Box(8, 21, 32, 32)));
    }

    [Test]
    public void View_is_resized_padded_cropped_and_flipped([Values(0f, 0.5f)] float flip)
    {
        using var image = Pictures.Noise(37, 53, seed: 2);
        var settings = Settings(32, 32);
        var pixels = new byte[3 * 32 * 32];
        settings.Create().Apply(image, [0.6f, 0.9f, flip], pixels);

        using var resized = image.Resized(32, 45, Interpolation.Bilinear);
        using var padded = resized.PadReflect(4);
        using var cropped = padded.Crop(new Box(5, 19, 32, 32));  // floor(0.6 * 9), floor(0.9 * 22)
        Assert.That(pixels, Is.EqualTo(Pictures.Mirrored(cropped, flip < 0.5f)));
    }

    [Test]
    public void Padding_that_cannot_be_mirrored_is_refused()
    {
        Assert.That(() => Settings(4, 32).Create(), Throws.ArgumentException.With.Message.Contains("padding"));
        Assert.That(() => Settings(5, 5).Create(), Throws.Nothing);
    }
}
