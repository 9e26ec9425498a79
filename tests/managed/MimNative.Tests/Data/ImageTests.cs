using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Data;

[TestFixture]
public sealed class ImageTests
{
    [Test]
    public void Png_is_decoded_as_it_was_encoded()
    {
        using var image = Pictures.Noise(13, 7, seed: 1);
        byte[] file = image.EncodePng();
        using var decoded = Image.Decode(file);
        Assert.That((decoded.Height, decoded.Width), Is.EqualTo((13, 7)));
        Assert.That(decoded.Pixels.SequenceEqual(image.Pixels));
        Assert.That(Ops.ReadImageInfo(file), Is.EqualTo(new ImageInfo(ImageFormat.Png, Width: 7, Height: 13, 3, 1)));
    }

    [Test]
    public void Sample_is_crop_flip_and_normalise_in_one()
    {
        using var image = Pictures.Noise(30, 40, seed: 2);
        float[] mean = [0.1f, 0.2f, 0.3f], std = [1, 2, 3];
        var values = new float[3 * 9 * 11];
        image.Sample(values, new Box(3, 4, 20, 30), 9, 11, Interpolation.Bicubic, flip: true, mean, std);

        using var crop = image.ResizedCrop(new Box(3, 4, 20, 30), 9, 11, Interpolation.Bicubic);
        crop.Flip();
        var separate = new float[values.Length];
        crop.Normalize(separate, mean, std);
        Assert.That(values, Is.EqualTo(separate));
    }

    [Test]
    public void Wrong_bytes_are_corrupt_data()
    {
        Assert.That(() => Image.Decode("no picture"u8),
                    Throws.TypeOf<MimException>().With.Property(nameof(MimException.Status)).EqualTo(MimStatus.CorruptData));
    }

    [Test]
    public void Sizes_that_do_not_fit_are_named_in_the_error()
    {
        using var image = Pictures.Noise(4, 5, seed: 1);
        float[] three = [1, 1, 1];
        Assert.That(() => Image.Create(4, 5, new byte[59]), Throws.ArgumentException.With.Message.Contains("60"));
        Assert.That(() => image.Normalize(new float[59], three, three), Throws.ArgumentException.With.Message.Contains("values"));
        Assert.That(() => image.Normalize(new float[60], three, [1]), Throws.ArgumentException.With.Message.Contains("std"));
        Assert.That(() => image.Sample(new float[12], image.Box, 2, 3, Interpolation.Bilinear, false, three, three),
                    Throws.ArgumentException.With.Message.Contains("values"));
    }

    [Test]
    public void Image_that_was_disposed_is_refused()
    {
        var image = Image.Create(2, 2);
        image.Dispose();
        image.Dispose();
        Assert.That(() => image.Flip(), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void Random_numbers_are_in_range_and_depend_on_their_arguments_alone()
    {
        float[] all = new float[1000], rest = new float[990], other = new float[1000];
        Ops.RandomUniform(all, 0, sample: 5, RandomStream.Crop, epoch: 1, seed: 9);
        Ops.RandomUniform(rest, 10, sample: 5, RandomStream.Crop, epoch: 1, seed: 9);
        Ops.RandomUniform(other, 0, sample: 5, RandomStream.Order, epoch: 1, seed: 9);
        Assert.That(rest, Is.EqualTo(all[10..]));
        Assert.That(other, Is.Not.EqualTo(all));
        Assert.That(all, Has.All.InRange(0f, 0.99999994f));
        Assert.That(all.Average(), Is.EqualTo(0.5).Within(0.04));
    }
}
