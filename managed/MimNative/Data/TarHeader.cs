using System.Buffers.Binary;

namespace MimNative.Data;

/// <summary>
/// The block before every member of a tar archive, in the versions that are about: V7 (no magic), ustar and pax
/// (a prefix for long names), GNU and star.
/// </summary>
/// <remarks>
/// Fields: name 0 (100), size 124 (12), checksum 148 (8), type 156, link 157 (100), magic 257 (8), prefix 345 (155).
/// </remarks>
internal readonly ref struct TarHeader(ReadOnlySpan<byte> block)
{
    private readonly ReadOnlySpan<byte> _block = block;

    public char Type => (char)_block[156];

    /// <summary>How many bytes follow; null where the field holds no number.</summary>
    public long? Size => Number(_block.Slice(124, 12));

    public string LinkName => TarText.Decode(_block.Slice(157, 100));

    public string Name
    {
        get
        {
            string name = TarText.Decode(_block[..100]);
            bool hasPrefix = (IsPosix || IsStar) && _block[345] != 0;
            return hasPrefix ? TarText.Decode(_block.Slice(345, IsStar ? 131 : 155)) + "/" + name : name;
        }
    }

    /// <summary>True for GNU tar's own format, which has other fields in the prefix's place.</summary>
    public bool IsGnu => _block.Slice(257, 8).SequenceEqual("ustar  \0"u8);

    private bool IsPosix => _block.Slice(257, 6).SequenceEqual("ustar\0"u8);

    // star has a shorter prefix, and its mark at the end of the block
    private bool IsStar => _block.Slice(508, 4).SequenceEqual("tar\0"u8);

    /// <summary>Whether a block looks like a header, be its checksum right or wrong.</summary>
    public static bool IsMarked(ReadOnlySpan<byte> block) =>
        block.Length > 262 && block.Slice(257, 5).SequenceEqual("ustar"u8);

    /// <summary>Whether a block is a header: whole, and with the right checksum.</summary>
    /// <remarks>
    /// The sum of all bytes, with the checksum's own eight read as blanks; old writers summed signed bytes.
    /// </remarks>
    public static bool IsAt(ReadOnlySpan<byte> block)
    {
        if (block.Length < TarBlocks.Size)
        {
            return false;
        }
        if (Number(block.Slice(148, 8)) is not { } stored)
        {
            return false;
        }
        long sum = 8 * ' ';
        foreach (byte value in block)
        {
            sum += value;
        }
        foreach (byte value in block.Slice(148, 8))
        {
            sum -= value;
        }
        return stored == sum || stored == sum - 256 * (CountNegative(block) - CountNegative(block.Slice(148, 8)));
    }

    /// <summary>
    /// Octal digits up to a blank or zero, or with the top bit set a big-endian binary number; null for anything else.
    /// </summary>
    public static long? Number(ReadOnlySpan<byte> field)
    {
        if ((field[0] & 0x80) != 0)
        {
            long number = BinaryPrimitives.ReadInt64BigEndian(field[^8..]);
            bool fits = field[0] == 0x80 && field[..^8].IndexOfAnyExcept((byte)0, (byte)0x80) < 0 && number >= 0;
            return fits ? number : null;
        }
        field = field.TrimStart(" \0"u8);
        int end = field.IndexOfAny((byte)' ', (byte)0);
        long value = 0;
        foreach (byte digit in end < 0 ? field : field[..end])
        {
            if (digit is < (byte)'0' or > (byte)'7')
            {
                return null;
            }
            value = value * 8 + (digit - '0');
        }
        return value;
    }

    private static int CountNegative(ReadOnlySpan<byte> bytes)
    {
        int count = 0;
        foreach (byte value in bytes)
        {
            count += value >> 7;
        }
        return count;
    }
}
