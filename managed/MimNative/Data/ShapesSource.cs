using System.Globalization;

namespace MimNative.Data;

/// <summary>
/// Drawn pictures as a source: made when they are first read, as PNG, and kept in memory. See <see
/// cref="ShapesPicture"/>.
/// </summary>
public sealed class ShapesSource : IImageSource
{
    private readonly byte[]?[] _files;
    private readonly long _seed;
    private readonly int _height;
    private readonly int _width;

    public ShapesSource(int count, int height, int width, long seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        _files = new byte[]?[count];
        (_height, _width, _seed) = (height, width, seed);
    }

    public int Count => _files.Length;

    /// <summary>"class/number.png".</summary>
    public static string FileName(int index) => string.Create(
        CultureInfo.InvariantCulture, $"{ShapesPicture.ClassOf(index).ToString().ToLowerInvariant()}/{index:D6}.png");

    public string Name(int index) => FileName(index);

    public string? Label(int index) => ImageNames.Label(Name(index));

    /// <summary>The picture with its mask; the caller disposes it.</summary>
    public ShapesPicture Draw(int index) => ShapesPicture.Draw(_seed, index, _height, _width);

    public ReadOnlySpan<byte> ReadBytes(int index, ByteBuffer buffer)
    {
        // two threads may draw the same picture at once; both make the same bytes
        if (Volatile.Read(ref _files[index]) is not { } file)
        {
            using var picture = Draw(index);
            file = picture.Image.EncodePng();
            Volatile.Write(ref _files[index], file);
        }
        return file;
    }

    /// <summary>Only managed memory is held.</summary>
    public void Dispose()
    {
    }

    /// <summary>
    /// Writes all pictures to folder/images/class/number.png, their masks to folder/masks under the same names, and
    /// folder/labels.csv with file, class and label.
    /// </summary>
    public void Write(string folder, CancellationToken cancellation = default)
    {
        foreach (var shape in Enum.GetValues<ShapeClass>())
        {
            string name = shape.ToString().ToLowerInvariant();
            Directory.CreateDirectory(Path.Combine(folder, "images", name));
            Directory.CreateDirectory(Path.Combine(folder, "masks", name));
        }
        Parallel.For(0, Count, new ParallelOptions { CancellationToken = cancellation }, index =>
        {
            using var picture = Draw(index);
            File.WriteAllBytes(Path.Combine(folder, "images", FileName(index)), picture.Image.EncodePng());
            File.WriteAllBytes(Path.Combine(folder, "masks", FileName(index)), picture.Mask.EncodePng());
        });
        File.WriteAllLines(Path.Combine(folder, "labels.csv"), Enumerable.Range(0, Count)
            .Select(index => string.Create(CultureInfo.InvariantCulture,
                $"{FileName(index)},{ShapesPicture.ClassOf(index)},{(int)ShapesPicture.ClassOf(index)}"))
            .Prepend("file,class,label"));
    }
}
