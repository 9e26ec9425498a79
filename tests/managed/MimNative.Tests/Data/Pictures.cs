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

    /// <summary>(pixel / 255 - mean) / std as planes, mirrored if asked.</summary>
    public static float[] Normalized(Image image, TransformSettings settings, bool flipped)
    {
        int height = image.Height, width = image.Width;
        var values = new float[3 * height * width];
        for (int c = 0, i = 0; c < 3; ++c)
        {
            for (int y = 0; y < height; ++y)
            {
                for (int x = 0; x < width; ++x, ++i)
                {
                    byte pixel = image.Pixels[(y * width + (flipped ? width - 1 - x : x)) * 3 + c];
                    values[i] = (pixel / 255f - settings.Mean[c]) / settings.Std[c];
                }
            }
        }
        return values;
    }
}
