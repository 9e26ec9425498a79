using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace MimNative.Data;

/// <summary>Where the bytes of a regular file lie in a tar archive.</summary>
internal readonly record struct TarEntry(string Name, long Offset, long Size);

/// <summary>
/// Walks the headers of a tar archive, without reading the files between them: ustar with its prefix, GNU long names
/// and large numbers, pax path and size. Folders, links and devices are passed over. The archive must not be
/// compressed.
/// </summary>
/// <remarks>
/// An archive is a row of 512-byte blocks: a header, then the file's bytes, padded to a whole block. Two zero blocks
/// end it; some writers leave them out. Header fields: name 0 (100), size 124 (12), checksum 148 (8), type 156, magic
/// 257, prefix 345 (155).
/// </remarks>
internal sealed class TarIndex(SafeFileHandle file, string path)
{
    private const int Block = 512;
    private const int LongestRecord = 1 << 20;

    private readonly long _length = RandomAccess.GetLength(file);
    private readonly ByteBuffer _records = new();
    private readonly byte[] _window = new byte[16 * Block];
    private long _windowStart;
    private int _windowCount;

    /// <summary>The regular files for which <paramref name="wanted"/> is true, in the archive's order.</summary>
    public List<TarEntry> Read(Func<string, bool> wanted)
    {
        RefuseCompressed();
        var entries = new List<TarEntry>();
        string? longName = null;  // from a GNU or pax record, for the entry that follows it
        long? longSize = null;
        for (long at = 0; at < _length;)
        {
            var header = HeaderAt(at);
            if (IsZero(header))
            {
                break;
            }
            RequireChecksum(header, at);
            char type = (char)header[156];
            string name = longName ?? Name(header);
            // a pax size belongs to the file it precedes, not to a record between them
            bool isRecord = type is 'x' or 'g' or 'L' or 'K';
            long size = (isRecord ? null : longSize) ?? Number(header.Slice(124, 12), at);
            long start = at + Block;
            // links and devices carry no bytes, whatever their size field says
            long stored = type is '1' or '2' or '3' or '4' or '5' or '6' ? 0 : size;
            if (stored < 0 || stored > _length - start)
            {
                throw new InvalidDataException(
                    $"The tar archive '{path}' ends early: its entry '{name}' should reach byte " +
                    $"{(decimal)start + stored}, but the file has {_length}.");
            }
            at = start + (stored + Block - 1) / Block * Block;
            switch (type)
            {
                case 'L':
                    longName = Text(Record(start, stored, name));
                    continue;
                case 'x':
                    ReadPax(Record(start, stored, name), ref longName, ref longSize);
                    continue;
                case 'g' or 'K':
                    continue;
                case '0' or '7' or '\0' when !name.EndsWith('/') && wanted(name):
                    entries.Add(new TarEntry(name, start, stored));
                    break;
            }
            longName = null;
            longSize = null;
        }
        return entries;
    }

    private void RefuseCompressed()
    {
        Span<byte> start = stackalloc byte[4];
        int count = RandomAccess.Read(file, start, 0);
        string? kind = count < 4 ? null : BinaryPrimitives.ReadUInt32BigEndian(start) switch
        {
            >= 0x1f8b0000 and <= 0x1f8bffff => "gzip",
            0x28b52ffd => "zstd",
            0xfd377a58 => "xz",
            >= 0x425a6800 and <= 0x425a68ff => "bzip2",
            _ => null,
        };
        if (kind is not null)
        {
            throw new InvalidDataException(
                $"'{path}' is compressed with {kind}; pictures are read from the middle of a tar " +
                "archive, which works only uncompressed. Unpack it to a plain .tar first.");
        }
    }

    private ReadOnlySpan<byte> HeaderAt(long at)
    {
        if (at < _windowStart || at + Block > _windowStart + _windowCount)
        {
            _windowStart = at;
            _windowCount = 0;
            for (int read = 1; read > 0 && _windowCount < _window.Length; _windowCount += read)
            {
                read = RandomAccess.Read(file, _window.AsSpan(_windowCount), at + _windowCount);
            }
            if (_windowCount < Block)
            {
                throw new InvalidDataException(
                    $"The tar archive '{path}' ends early: {_windowCount} bytes of a header of " +
                    $"{Block} are there at byte {at}.");
            }
        }
        return _window.AsSpan((int)(at - _windowStart), Block);
    }

    private ReadOnlySpan<byte> Record(long start, long count, string name)
    {
        if (count > LongestRecord)
        {
            throw Damaged($"the record '{name}' at byte {start - Block} has {count} bytes, more than {LongestRecord}");
        }
        return ImageFile.ReadAt(file, start, count, _records, path);
    }

    // The sum of all header bytes, with the checksum's own eight read as blanks; old writers summed signed bytes.
    private void RequireChecksum(ReadOnlySpan<byte> header, long at)
    {
        long unsigned = 8 * ' ', signed = 8 * ' ';
        for (int i = 0; i < Block; ++i)
        {
            if (i is < 148 or >= 156)
            {
                unsigned += header[i];
                signed += (sbyte)header[i];
            }
        }
        long stored = Number(header.Slice(148, 8), at);
        if (stored != unsigned && stored != signed)
        {
            throw Damaged($"there is no header at byte {at}, where one should be");
        }
    }

    // Octal digits, or with the top bit set a big-endian binary number.
    private long Number(ReadOnlySpan<byte> field, long at)
    {
        if ((field[0] & 0x80) != 0)
        {
            return field[0] == 0x80 && field[..^8].IndexOfAnyExcept((byte)0, (byte)0x80) < 0
                ? BinaryPrimitives.ReadInt64BigEndian(field[^8..])
                : throw Damaged($"the header at byte {at} has a number out of range");
        }
        long value = 0;
        foreach (byte digit in field.Trim(" \0"u8))
        {
            if (digit is < (byte)'0' or > (byte)'7')
            {
                throw Damaged($"the header at byte {at} has a number that is none");
            }
            value = value * 8 + (digit - '0');
        }
        return value;
    }

    private static string Name(ReadOnlySpan<byte> header)
    {
        string name = Text(header[..100]);
        bool hasPrefix = header.Slice(257, 6).SequenceEqual("ustar\0"u8) && header[345] != 0;
        return hasPrefix ? Text(header.Slice(345, 155)) + "/" + name : name;
    }

    // Records are "<length> <key>=<value>\n", the length counting itself.
    private void ReadPax(ReadOnlySpan<byte> records, ref string? name, ref long? size)
    {
        while (!records.IsEmpty)
        {
            int blank = records.IndexOf((byte)' ');
            if (blank < 1 || !int.TryParse(records[..blank], NumberStyles.None, null, out int length) ||
                length <= blank || length > records.Length)
            {
                throw Damaged("a pax record has no valid length");
            }
            var record = records[(blank + 1)..length].TrimEnd((byte)'\n');
            int equals = record.IndexOf((byte)'=');
            if (equals >= 0 && record[..equals].SequenceEqual("path"u8))
            {
                name = Encoding.UTF8.GetString(record[(equals + 1)..]);
            }
            else if (equals >= 0 && record[..equals].SequenceEqual("size"u8))
            {
                size = long.TryParse(record[(equals + 1)..], NumberStyles.None, null, out long value)
                    ? value
                    : throw Damaged("a pax record has a size that is no number");
            }
            records = records[length..];
        }
    }

    private static string Text(ReadOnlySpan<byte> bytes)
    {
        int end = bytes.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
    }

    private static bool IsZero(ReadOnlySpan<byte> block) => block.IndexOfAnyExcept((byte)0) < 0;

    private InvalidDataException Damaged(string what) => new($"The tar archive '{path}' is damaged: {what}.");
}
