using Microsoft.Win32.SafeHandles;

namespace MimNative.Data;

/// <summary>
/// An open tar archive as a row of 512-byte blocks, read through a small window, so that walking from header to header
/// costs one read each and nothing that lies between.
/// </summary>
internal sealed class TarBlocks(SafeFileHandle file, string path)
{
    public const int Size = 512;

    private const int LongestRecord = 1 << 26;

    private readonly byte[] _window = new byte[16 * Size];
    private readonly ByteBuffer _record = new();
    private long _windowStart;
    private int _windowCount;

    public string Path => path;

    /// <summary>Bytes of the file.</summary>
    public long Length { get; } = RandomAccess.GetLength(file);

    /// <summary>
    /// The block that begins at a byte, shorter where the file ends within it; good until the next call.
    /// </summary>
    public ReadOnlySpan<byte> At(long at)
    {
        if (at < _windowStart || at + Size > _windowStart + _windowCount)
        {
            _windowStart = at;
            _windowCount = 0;
            for (int read = 1; read > 0 && _windowCount < _window.Length; _windowCount += read)
            {
                read = RandomAccess.Read(file, _window.AsSpan(_windowCount), at + _windowCount);
            }
        }
        int from = (int)(at - _windowStart);
        return _window.AsSpan(from, Math.Min(Size, _windowCount - from));
    }

    /// <summary>Where the next block begins that is not all zeros; the end of the file where there is none.</summary>
    public long SkipZeros(long at)
    {
        while (at < Length && IsZero(At(at)))
        {
            at += Size;
        }
        return Math.Min(at, Length);
    }

    /// <summary>The content of a record, which says something about the member behind it.</summary>
    public ReadOnlySpan<byte> Record(long start, long count)
    {
        if (count > LongestRecord)
        {
            throw Damaged($"the record at byte {start - Size} has {count} bytes, more than {LongestRecord}");
        }
        return ImageFile.ReadAt(file, start, count, _record, path);
    }

    public static bool IsZero(ReadOnlySpan<byte> block) => block.IndexOfAnyExcept((byte)0) < 0;

    /// <summary>A number of bytes, filled up to whole blocks.</summary>
    public static long Padded(long bytes) => (bytes + Size - 1) / Size * Size;

    /// <summary>Refuses a member whose bytes would reach beyond the file.</summary>
    public void RequireBytes(long start, long count, string name)
    {
        if (start > Length || count > Length - start)
        {
            throw EndsEarly(
                $"its entry '{name}' should reach byte {(decimal)start + count}, but the file has {Length}");
        }
    }

    public InvalidDataException Damaged(string what) => new($"The tar archive '{path}' is damaged: {what}.");

    public InvalidDataException EndsEarly(string what) => new($"The tar archive '{path}' ends early: {what}.");
}
