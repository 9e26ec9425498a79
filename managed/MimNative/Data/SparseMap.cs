using Microsoft.Win32.SafeHandles;

namespace MimNative.Data;

/// <summary>
/// Where the stored pieces of a sparse file belong. The pieces lie one behind the other in the archive; everything
/// between them is zeros and is not stored.
/// </summary>
internal sealed class SparseMap
{
    private readonly Piece[] _pieces;
    private readonly long _size;

    private SparseMap(Piece[] pieces, long size, long stored)
    {
        (_pieces, _size) = (pieces, size);
        Holes = size - stored;
    }

    /// <summary>How many bytes are not stored.</summary>
    public long Holes { get; }

    /// <summary>
    /// From offsets and lengths in turn. They must go upwards within the file's size and account for every stored byte;
    /// anything else is a damaged archive.
    /// </summary>
    public static SparseMap From(IReadOnlyList<long> numbers, long size, long stored, string name, TarBlocks archive)
    {
        if (numbers.Count % 2 != 0)
        {
            throw Wrong("has an offset without a length");
        }
        var pieces = new List<Piece>(numbers.Count / 2);
        long end = 0, sum = 0;
        for (int i = 0; i < numbers.Count; i += 2)
        {
            var piece = new Piece(numbers[i], numbers[i + 1]);
            if (piece.Offset < end)
            {
                throw Wrong($"has a piece at {piece.Offset}, before the end of the last at {end}");
            }
            if (piece.Length < 0 || piece.Offset > size || piece.Length > size - piece.Offset)
            {
                throw Wrong($"has a piece of {piece.Length} bytes at {piece.Offset}, but the file has {size}");
            }
            end = piece.Offset + piece.Length;
            sum += piece.Length;
            if (piece.Length > 0)
            {
                pieces.Add(piece);
            }
        }
        return sum == stored
            ? new SparseMap([.. pieces], size, stored)
            : throw Wrong($"has pieces of {sum} bytes, but {stored} are stored");

        InvalidDataException Wrong(string what) => archive.Damaged($"the map of the sparse file '{name}' {what}");
    }

    /// <summary>The file with its holes; <paramref name="offset"/> is where its first piece is stored.</summary>
    public ReadOnlySpan<byte> Read(SafeFileHandle file, long offset, ByteBuffer buffer, string archive)
    {
        var bytes = buffer.Take((int)_size);
        int done = 0;
        foreach (var (start, length) in _pieces)
        {
            bytes[done..(int)start].Clear();
            done = (int)(start + length);
            ImageFile.Fill(bytes[(int)start..done], file, offset, archive);
            offset += length;
        }
        bytes[done..].Clear();
        return bytes;
    }

    private readonly record struct Piece(long Offset, long Length);
}
