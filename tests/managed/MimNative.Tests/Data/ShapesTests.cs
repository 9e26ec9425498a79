using MimNative.Data;
using NUnit.Framework;

namespace MimNative.Tests.Data;

[TestFixture]
public sealed class ShapesTests
{
    [Test]
    public void Same_seed_index_and_size_give_the_same_picture()
    {
        using var first = ShapesPicture.Draw(seed: 1, index: 17, height: 40, width: 60);
        using var second = ShapesPicture.Draw(1, 17, 40, 60);
        using var other = ShapesPicture.Draw(2, 17, 40, 60);
        using var next = ShapesPicture.Draw(1, 27, 40, 60);
        Assert.That((first.Image.Height, first.Image.Width), Is.EqualTo((40, 60)));
        Assert.That(first.Image.Pixels.SequenceEqual(second.Image.Pixels));
        Assert.That(first.Mask.Pixels.SequenceEqual(second.Mask.Pixels));
        Assert.That(first.Image.Pixels.SequenceEqual(other.Image.Pixels), Is.False);
        Assert.That(first.Image.Pixels.SequenceEqual(next.Image.Pixels), Is.False);
    }

    [Test]
    public void Object_is_visible_in_every_picture_and_differs_from_its_ground()
    {
        for (int index = 0; index < 50; ++index)
        {
            using var picture = ShapesPicture.Draw(3, index, 64, 64);
            double covered = 0, difference = 0;
            double[] inside = new double[3], outside = new double[3];
            for (int i = 0; i < picture.Mask.Pixels.Length; ++i)
            {
                double mask = picture.Mask.Pixels[i] / 255.0;
                covered += mask / picture.Mask.Pixels.Length;
                inside[i % 3] += mask * picture.Image.Pixels[i];
                outside[i % 3] += (1 - mask) * picture.Image.Pixels[i];
            }
            for (int c = 0; c < 3; ++c)
            {
                difference += Math.Abs(inside[c] / (covered * 4096) - outside[c] / ((1 - covered) * 4096));
            }
            Assert.That(covered, Is.InRange(0.01, 0.7), $"{index}, {picture.Class}");
            Assert.That(difference, Is.GreaterThan(12), $"{index}, {picture.Class}");
        }
    }

    [Test]
    public void Distances_have_their_sign_and_grow_no_faster_than_the_way([Values] ShapeClass shape)
    {
        var random = new Random(1);
        for (int i = 0; i < 500; ++i)
        {
            float x = random.NextSingle() * 4 - 2, y = random.NextSingle() * 4 - 2;
            float here = ShapeDistance.To(shape, x, y);
            Assert.That(MathF.Sqrt(x * x + y * y) > 1.2f && here <= 0, Is.False, "every shape ends within the circle");
            float dx = (random.NextSingle() - 0.5f) * 0.1f, dy = (random.NextSingle() - 0.5f) * 0.1f;
            float there = ShapeDistance.To(shape, x + dx, y + dy);
            // rounding of the folds
            Assert.That(MathF.Abs(there - here), Is.LessThanOrEqualTo(1.01f * MathF.Sqrt(dx * dx + dy * dy) + 1e-5f));
        }
    }

    [Test]
    public void Source_and_folder_hold_the_same_pictures_with_masks_and_labels()
    {
        using var folder = new TemporaryFolder();
        using var drawn = new ShapesSource(count: 25, height: 24, width: 32, seed: 5);
        drawn.Write(folder.Path);
        using var written = ImageSources.Open(folder.File("images"));
        Assert.That(FolderSourceTests.Names(written), Is.EquivalentTo(FolderSourceTests.Names(drawn)));
        var buffer = new ByteBuffer();
        for (int i = 0; i < drawn.Count; ++i)
        {
            byte[] file = drawn.ReadBytes(i, buffer).ToArray();
            Assert.That(File.ReadAllBytes(folder.File("images/" + drawn.Name(i))), Is.EqualTo(file));
            using var mask = MimNative.Runtime.Image.Decode(File.ReadAllBytes(folder.File("masks/" + drawn.Name(i))));
            using var picture = drawn.Draw(i);
            Assert.That(mask.Pixels.SequenceEqual(picture.Mask.Pixels));
            Assert.That(drawn.Label(i), Is.EqualTo(picture.Class.ToString().ToLowerInvariant()));
        }
        string[] labels = File.ReadAllLines(folder.File("labels.csv"));
        Assert.That(labels, Has.Length.EqualTo(26));
        Assert.That(labels[13], Is.EqualTo("square/000012.png,Square,2"));
    }

    [TestCase(1, 1)]
    [TestCase(1, 200)]
    [TestCase(7, 3)]
    public void Any_size_can_be_drawn(int height, int width)
    {
        using var picture = ShapesPicture.Draw(1, 5, height, width);
        Assert.That(picture.Image.Pixels.Length, Is.EqualTo(height * width * 3));
    }
}
