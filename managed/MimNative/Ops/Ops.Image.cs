using MimNative.Interop;
using MimNative.Runtime;

namespace MimNative;

/// <summary>One method per native operation.</summary>
public static unsafe partial class Ops
{
    /// <summary>Reads only the header of an encoded picture.</summary>
    public static ImageInfo ReadImageInfo(ReadOnlySpan<byte> bytes)
    {
        var info = new mim_image_info { size = sizeof(mim_image_info) };
        fixed (byte* start = bytes)
        {
            Mim.mim_image_read_info(&info, start, bytes.Length);
        }
        return new ImageInfo((ImageFormat)info.format, info.width, info.height, info.channels, info.orientation);
    }

    /// <summary>
    /// The box of the picture, resized to height x width with Pillow's filters, bit for bit. The box is cut out
    /// first, so nothing outside it is seen.
    /// </summary>
    public static Image ResizedCrop(this Image image, Box box, int height, int width, Interpolation interpolation)
    {
        using var use = image.Use();
        mim_image* result = null;
        var native = Native(box);
        Mim.mim_image_resized_crop(&result, use.Native, &native, height, width, (int)interpolation);
        return new Image(result);
    }

    /// <summary>The whole picture, resized.</summary>
    public static Image Resized(this Image image, int height, int width, Interpolation interpolation) =>
        image.ResizedCrop(image.Box, height, width, interpolation);

    /// <summary>
    /// With a border of pad pixels on each side, mirrored without repeating the edge; pad below both sides.
    /// </summary>
    public static Image PadReflect(this Image image, int pad)
    {
        using var use = image.Use();
        mim_image* result = null;
        Mim.mim_image_pad_reflect(&result, use.Native, pad);
        return new Image(result);
    }

    /// <summary>The box of the picture; black where it reaches outside.</summary>
    public static Image Crop(this Image image, Box box)
    {
        using var use = image.Use();
        mim_image* result = null;
        var native = Native(box);
        Mim.mim_image_crop(&result, use.Native, &native);
        return new Image(result);
    }

    /// <summary>Mirrors left and right, in place.</summary>
    public static void Flip(this Image image)
    {
        using var use = image.Use();
        Mim.mim_image_flip(use.Native);
    }

    /// <summary>values[c,y,x] = (pixel / 255 - mean[c]) / std[c]. values: (3, height, width).</summary>
    public static void Normalize(this Image image, Span<float> values, ReadOnlySpan<float> mean,
                                 ReadOnlySpan<float> std)
    {
        RequireChannels(mean, std);
        RequireValues(values, image.Height, image.Width);
        using var use = image.Use();
        fixed (float* y = values, m = mean, s = std)
        {
            Mim.mim_image_normalize(y, use.Native, m, s);
        }
    }

    /// <summary>
    /// A training crop in one call: <see cref="ResizedCrop"/>, then <see cref="Flip"/> where asked, then
    /// <see cref="Normalize"/>, with the same numbers as the three. values: (3, height, width).
    /// </summary>
    public static void Sample(this Image image, Span<float> values, Box box, int height, int width,
                              Interpolation interpolation, bool flip, ReadOnlySpan<float> mean, ReadOnlySpan<float> std)
    {
        RequireChannels(mean, std);
        RequireValues(values, height, width);
        using var use = image.Use();
        var native = Native(box);
        fixed (float* y = values, m = mean, s = std)
        {
            Mim.mim_image_sample(y, use.Native, &native, height, width, (int)interpolation, flip ? 1 : 0, m, s);
        }
    }

    /// <summary>The picture as an 8-bit RGB PNG file.</summary>
    public static byte[] EncodePng(this Image image)
    {
        using var use = image.Use();
        byte* bytes = null;
        long count = 0;
        Mim.mim_image_encode_png(&bytes, &count, use.Native);
        try
        {
            return new ReadOnlySpan<byte>(bytes, checked((int)count)).ToArray();
        }
        finally
        {
            Mim.mim_bytes_destroy(bytes);
        }
    }

    private static mim_box Native(Box box) =>
        new() { top = box.Top, left = box.Left, height = box.Height, width = box.Width };

    private static void RequireChannels(ReadOnlySpan<float> mean, ReadOnlySpan<float> std)
    {
        if (mean.Length != 3 || std.Length != 3)
        {
            throw new ArgumentException($"mean and std must have 3 values each, one a channel; {mean.Length} and " +
                                        $"{std.Length} came.", mean.Length != 3 ? nameof(mean) : nameof(std));
        }
    }

    private static void RequireValues(ReadOnlySpan<float> values, int height, int width)
    {
        if (values.Length != 3L * height * width)
        {
            throw new ArgumentException($"values must have 3 * {height} * {width} = {3L * height * width} floats; " +
                                        $"{values.Length} came.", nameof(values));
        }
    }
}
