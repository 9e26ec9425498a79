using System.Globalization;
using System.Text;
using MimNative.Data;

namespace MimNative.Tests.Data;

/// <summary>
/// An archive written byte by byte, for what System.Formats.Tar's writer does not write. Text is Latin-1: every letter
/// is the byte of its code.
/// </summary>
internal sealed class TarBytes
{
    private readonly List<byte> _bytes = [];

    public int Length => _bytes.Count;

    /// <summary>A member; <paramref name="edit"/> changes its header before the checksum is made.</summary>
    public TarBytes Add(
        string name, string content = "", char type = '0', string link = "", string magic = "ustar\00000",
        Action<byte[]>? edit = null)
    {
        var header = new byte[512];
        Put(header, 0, name[..Math.Min(100, name.Length)]);
        Put(header, 100, "0000644\0");
        Put(header, 124, Octal(content.Length));
        Put(header, 136, Octal(0));
        header[156] = (byte)type;
        Put(header, 157, link);
        Put(header, 257, magic);
        edit?.Invoke(header);
        SetChecksum(header);
        return Raw(header).Raw(Encoding.Latin1.GetBytes(content), padded: true);
    }

    /// <summary>A pax record for the next member, or with type 'g' for all that follow.</summary>
    public TarBytes Pax(char type, params (string Key, string Value)[] records) =>
        Add("PaxHeaders", string.Concat(records.Select(PaxLine)), type);

    public TarBytes Zeros(int blocks = 2) => Raw(new byte[512 * blocks]);

    public TarBytes Raw(ReadOnlySpan<byte> bytes, bool padded = false)
    {
        _bytes.AddRange(bytes);
        if (padded)
        {
            _bytes.AddRange(new byte[(512 - bytes.Length % 512) % 512]);
        }
        return this;
    }

    public byte[] ToArray() => [.. _bytes];

    /// <summary>Writes the archive as it is so far, and opens it.</summary>
    public TarSource Open(TemporaryFolder folder, string name = "a.tar")
    {
        File.WriteAllBytes(folder.File(name), ToArray());
        return new TarSource(folder.File(name));
    }

    /// <summary>All pictures of a source as "name=content".</summary>
    public static string[] Read(TarSource source)
    {
        var buffer = new ByteBuffer();
        buffer.Take(4000).Fill(0xee);  // so that a hole is zeros only if somebody has written them
        return [.. Enumerable.Range(0, source.Count).Select(
            i => source.Name(i) + "=" + Encoding.Latin1.GetString(source.ReadBytes(i, buffer)))];
    }

    public static string Octal(long number) => Convert.ToString(number, 8).PadLeft(11, '0') + "\0";

    public static void Put(byte[] header, int at, string text) => Encoding.Latin1.GetBytes(text).CopyTo(header, at);

    public static void SetChecksum(Span<byte> header)
    {
        header.Slice(148, 8).Fill((byte)' ');
        int sum = 0;
        foreach (byte value in header[..512])
        {
            sum += value;
        }
        Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(header.Slice(148, 8));
    }

    // the length counts its own digits
    private static string PaxLine((string Key, string Value) record)
    {
        string rest = $" {record.Key}={record.Value}\n";
        int length = rest.Length + 1;
        while (length.ToString(CultureInfo.InvariantCulture).Length + rest.Length != length)
        {
            ++length;
        }
        return length.ToString(CultureInfo.InvariantCulture) + rest;
    }
}
