using MimNative.Data;
using MimNative.Runtime;

namespace MimNative.Tests.Data;

/// <summary>Pictures for tests, and what a transform should make of them.</summary>
internal static class Pictures
{
    public static Image Noise(int height, int width, int seed)
    {
        var pixels = new byte[height * width * 3];
        new Random(seed).NextBytes(pixels);
        return Image.Create(height, width, pixels);
    }

    /// <summary>A picture of one colour that says which one it is.</summary>
    public static byte[] Numbered(int number, int side = 12)
    {
        using var image = Image.Create(side, side);
        for (int i = 0; i < image.Pixels.Length; i += 3)
        {
            image.Pixels[i] = (byte)number;
            image.Pixels[i + 1] = (byte)(number >> 8);
        }
        return image.EncodePng();
    }

    /// <summary>The pixels, mirrored if asked.</summary>
    public static byte[] Mirrored(Image image, bool mirrored)
    {
        var pixels = new byte[3 * image.Height * image.Width];
        for (int y = 0, i = 0; y < image.Height; ++y)
        {
            for (int x = 0; x < image.Width; ++x)
            {
                for (int c = 0; c < 3; ++c, ++i)
                {
                    pixels[i] = image.Pixels[((y * image.Width) + (mirrored ? image.Width - 1 - x : x)) * 3 + c];
                }
            }
        }
        return pixels;
    }
}
