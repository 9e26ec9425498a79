using MimNative.Export;
using MimNative.Runtime;

namespace MimNative.Evaluation.Objects;

/// <summary>Mask pictures: PNG files of the pictures' names and sizes, in which every pixel that is not black is of the object.</summary>
internal sealed class MaskFiles(string folder, IReadOnlyList<string> files, PictureNames names) : ObjectFiles(folder, files, names)
{
    protected override IReadOnlyList<PictureObject> ReadFile(string file, string picture, int height, int width)
    {
        using var mask = Decode(file);
        if (mask.Height != height || mask.Width != width)
        {
            throw new InvalidFileException(
                file, $"the mask is {mask.Width} x {mask.Height} (width x height), expected {width} x {height} as '{picture}' is");
        }
        var pixels = mask.Pixels;
        var shares = new float[height * width];
        for (var i = 0; i < shares.Length; i++)
        {
            shares[i] = pixels.Slice(3 * i, 3).ContainsAnyExcept((byte)0) ? 1 : 0;
        }
        return shares.AsSpan().ContainsAnyExcept(0f)
            ? [new MaskObject(mask.Box, shares)]
            : throw new InvalidFileException(file, "every pixel of the mask is black, expected those of the object to be bright");
    }

    private static Image Decode(string file)
    {
        try
        {
            return Image.Decode(File.ReadAllBytes(file));
        }
        catch (MimException e) when (e.Status is MimStatus.CorruptData or MimStatus.InvalidArgument or MimStatus.Unsupported)
        {
            throw new InvalidFileException(file, $"the mask cannot be decoded: {e.Message}", e);
        }
    }
}
