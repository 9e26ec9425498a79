using System.Globalization;
using System.Text;

namespace MimNative.Data;

/// <summary>
/// What pax records say about the next member of an archive, and about all members to come where the record is a global
/// one. A member's own value counts before a global one; an empty value takes both away.
/// </summary>
/// <remarks>
/// Records are "length key=value\n", the length counting itself. Values are UTF-8, with hdrcharset=BINARY whatever
/// bytes the file system had; <see cref="TarText"/> reads both. In a global header the keys for sparse files mean
/// nothing, and GNU tar's note that a file goes on from another volume is about the next member alone.
/// </remarks>
internal sealed class PaxRecords(TarBlocks archive)
{
    private static readonly string[] Known =
    [
        "path", "linkpath", "size", "GNU.sparse.major", "GNU.sparse.minor", "GNU.sparse.name", "GNU.sparse.size",
        "GNU.sparse.realsize", "GNU.sparse.numblocks", "GNU.volume.filename",
    ];

    private readonly Dictionary<string, string> _own = [];
    private readonly Dictionary<string, string> _global = [];

    /// <summary>The member's name; a sparse one's stands apart, its path being made up for other readers.</summary>
    public string? Name => this["GNU.sparse.name"] ?? this["path"];

    public string? LinkName => this["linkpath"];

    public long? Size => Number("size");

    /// <summary>The file that the next member is a later part of, in an archive of several volumes.</summary>
    public string? Continued => this["GNU.volume.filename"];

    /// <summary>The version of the sparse format, where one is named.</summary>
    public (long Major, long Minor)? SparseVersion =>
        Number("GNU.sparse.major") is { } major ? (major, Number("GNU.sparse.minor") ?? 0) : null;

    /// <summary>How large a sparse file is with its holes.</summary>
    public long? SparseSize => Number("GNU.sparse.realsize") ?? Number("GNU.sparse.size");

    /// <summary>How many pieces a sparse file has.</summary>
    public long? SparseCount => Number("GNU.sparse.numblocks");

    /// <summary>The pieces of a sparse file, offset and length in turn: the versions 0.0 and 0.1.</summary>
    public List<long> SparseNumbers { get; } = [];

    private string? this[string key] =>
        (_own.TryGetValue(key, out string? value) || _global.TryGetValue(key, out value)) && value.Length > 0
            ? value
            : null;

    /// <summary>Forgets what was about one member.</summary>
    public void EndMember()
    {
        _own.Clear();
        SparseNumbers.Clear();
    }

    public void Read(ReadOnlySpan<byte> records, bool global)
    {
        records = records.TrimEnd((byte)0);
        while (!records.IsEmpty)
        {
            int blank = records.IndexOf((byte)' ');
            if (blank < 1 || !int.TryParse(records[..blank], NumberStyles.None, null, out int length) ||
                length <= blank || length > records.Length || records[length - 1] != '\n')
            {
                throw archive.Damaged("a pax record has no valid length");
            }
            var record = records[(blank + 1)..(length - 1)];
            int equals = record.IndexOf((byte)'=');
            if (equals > 0)
            {
                Keep(record[..equals], record[(equals + 1)..], global);
            }
            records = records[length..];
        }
    }

    private void Keep(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, bool global)
    {
        if (global && key.StartsWith("GNU.sparse."u8))
        {
            return;
        }
        if (key.SequenceEqual("GNU.sparse.offset"u8) || key.SequenceEqual("GNU.sparse.numbytes"u8) ||
            key.SequenceEqual("GNU.sparse.map"u8))
        {
            foreach (var part in value.Split((byte)','))
            {
                SparseNumbers.Add(SparseNumber(value[part]));
            }
            return;
        }
        foreach (string known in Known)
        {
            if (Ascii.Equals(key, known))
            {
                bool isForAll = global && known != "GNU.volume.filename";
                (isForAll ? _global : _own)[known] = TarText.Decode(value);
            }
        }
    }

    private long? Number(string key) =>
        this[key] is not { } text ? null
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value) ? value
        : throw archive.Damaged($"a pax record has '{key}={text}', which is no number");

    private long SparseNumber(ReadOnlySpan<byte> text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value)
            ? value
            : throw archive.Damaged(
                $"a pax record has '{TarText.Decode(text)}' in the map of a sparse file, which is no number");
}
