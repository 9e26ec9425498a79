namespace MimNative.Data;

/// <summary>
/// Finds the map of a sparse member where the formats have it: in the header and the blocks behind it (GNU tar's own
/// format, star), in the pax records (versions 0.0 and 0.1), or before the data (version 1.0).
/// </summary>
internal static class SparseMember
{
    private const int EntrySize = 24;  // an offset and a length, 12 bytes each

    // Where the two formats with type 'S' have their fields: the first of some entries, whether more follow in another
    // block, and the file's size with its holes.
    private readonly record struct Layout(int Entries, int Count, int More, int Size);

    private static readonly Layout Gnu = new(Entries: 386, Count: 4, More: 482, Size: 483);
    private static readonly Layout Star = new(Entries: 356, Count: 4, More: 355, Size: 452);
    private static readonly Layout Extension = new(Entries: 0, Count: 21, More: 504, Size: 0);

    /// <summary>The member of type 'S' whose header lies at a byte.</summary>
    public static TarEntry FromHeader(TarBlocks archive, long at, string name, long stored)
    {
        var block = archive.At(at);
        var layout = new TarHeader(block).IsGnu ? Gnu : Star;
        long size = TarHeader.Number(block.Slice(layout.Size, 12))
            ?? throw archive.Damaged($"the sparse file '{name}' has a size that is no number");
        var numbers = new List<long>();
        bool hasPrefix = layout == Star && block[345] != 0;  // star keeps a long name where the entries would be
        bool more = hasPrefix || block[layout.More] != 0;
        if (!hasPrefix)
        {
            AddEntries(block, layout, numbers, name, archive);
        }
        for (at += TarBlocks.Size; more; at += TarBlocks.Size)
        {
            block = archive.At(at);
            if (block.Length < TarBlocks.Size)
            {
                throw archive.EndsEarly(
                    $"the map of the sparse file '{name}' goes on at byte {at}, but the file has {archive.Length}");
            }
            AddEntries(block, Extension, numbers, name, archive);
            more = block[Extension.More] != 0;
        }
        archive.RequireBytes(at, stored, name);
        return new TarEntry(name, at, size, SparseMap.From(numbers, size, stored, name, archive));
    }

    /// <summary>The member whose stored bytes begin at a byte, if its pax records say that it is sparse.</summary>
    public static TarEntry? FromPax(TarBlocks archive, PaxRecords pax, long start, string name, long stored)
    {
        if (pax.SparseVersion is { Major: > 0 } version)
        {
            return version is (1, 0)
                ? FromData(archive, SizeOf(pax, name, archive), start, name, stored)
                : throw new InvalidDataException(
                    $"The tar archive '{archive.Path}' has the sparse file '{name}' in version " +
                    $"{version.Major}.{version.Minor}; known are 0.0, 0.1 and 1.0. Write the archive without --sparse.");
        }
        if (pax.SparseNumbers.Count == 0 && pax.SparseSize is null)
        {
            return null;
        }
        if (pax.SparseCount is { } count && count != pax.SparseNumbers.Count / 2)
        {
            throw archive.Damaged($"the map of the sparse file '{name}' has {pax.SparseNumbers.Count / 2} pieces, " +
                                  $"not the {count} it should");
        }
        long size = SizeOf(pax, name, archive);
        return new TarEntry(name, start, size, SparseMap.From(pax.SparseNumbers, size, stored, name, archive));
    }

    private static long SizeOf(PaxRecords pax, string name, TarBlocks archive) =>
        pax.SparseSize ?? throw archive.Damaged($"the sparse file '{name}' has no size");

    private static void AddEntries(
        ReadOnlySpan<byte> block, Layout layout, List<long> numbers, string name, TarBlocks archive)
    {
        for (int i = 0; i < layout.Count; ++i)
        {
            var entry = block.Slice(layout.Entries + i * EntrySize, EntrySize);
            if (entry[12] == 0)  // the first without a length ends the list
            {
                return;
            }
            if (TarHeader.Number(entry[..12]) is not { } offset || TarHeader.Number(entry[12..]) is not { } length)
            {
                throw archive.Damaged($"the map of the sparse file '{name}' has an entry that is no number");
            }
            numbers.Add(offset);
            numbers.Add(length);
        }
    }

    // Version 1.0: lines of decimal digits, first how many pieces there are, filled up with zeros to whole blocks.
    private static TarEntry FromData(TarBlocks archive, long size, long start, string name, long stored)
    {
        var numbers = new List<long>();
        long at = start, end = start + stored, count = -1, value = 0;
        int digits = 0;
        while (count < 0 || numbers.Count < 2 * count)
        {
            if (at >= end)
            {
                throw archive.Damaged(
                    $"the map of the sparse file '{name}' does not end within the {stored} bytes stored");
            }
            foreach (byte letter in archive.At(at))
            {
                if (letter is >= (byte)'0' and <= (byte)'9' && digits < 18)
                {
                    value = value * 10 + (letter - '0');
                    ++digits;
                    continue;
                }
                if (letter != '\n' || digits == 0)
                {
                    throw archive.Damaged($"the map of the sparse file '{name}' has a line that is no number");
                }
                if (count < 0)
                {
                    count = Math.Min(value, stored);  // a piece takes four letters at least: more cannot come
                }
                else
                {
                    numbers.Add(value);
                }
                (value, digits) = (0, 0);
                if (numbers.Count == 2 * count)
                {
                    break;
                }
            }
            at += TarBlocks.Size;
        }
        return new TarEntry(name, at, size, SparseMap.From(numbers, size, Math.Max(0, end - at), name, archive));
    }
}
