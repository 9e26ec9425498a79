using System.Text;

namespace MimNative.Data;

/// <summary>What a file is that should be a tar archive and is none, by the bytes that it begins with.</summary>
internal static class ArchiveKind
{
    private static readonly (byte[] Start, string Name)[] Compressions =
    [
        ([0x1f, 0x8b], "gzip"), ([0x28, 0xb5, 0x2f, 0xfd], "zstd"), ([0xfd, .. "7zXZ"u8], "xz"),
        ([.. "BZh"u8], "bzip2"), ([0x04, 0x22, 0x4d, 0x18], "lz4"), ([.. "LZIP"u8], "lzip"),
        ([0x89, .. "LZO"u8], "lzop"), ([0x1f, 0x9d], "compress"),
    ];

    private static readonly (byte[] Start, string Name)[] Others =
    [
        ([.. "PK\x03\x04"u8], "a zip archive"), ([.. "PK\x05\x06"u8], "an empty zip archive"),
        ([.. "7z"u8, 0xbc, 0xaf, 0x27, 0x1c], "a 7z archive"), ([.. "Rar!"u8], "a RAR archive"),
        ([.. "0707"u8], "a cpio archive"), ([.. "!<arch>"u8], "an ar archive"), ([.. "hsqs"u8], "a SquashFS image"),
        ([0xff, 0xd8, 0xff], "a JPEG picture"), ([0x89, .. "PNG"u8], "a PNG picture"), ([.. "GIF8"u8], "a GIF picture"),
        ([.. "RIFF"u8], "a RIFF file (WebP, WAV or AVI)"), ([.. "%PDF"u8], "a PDF"), ([.. "PAR1"u8], "a Parquet file"),
        ([0x89, .. "HDF"u8], "an HDF5 file"), ([.. "SQLite format 3"u8], "an SQLite database"),
        ([.. "version https://git-lfs"u8], "a Git LFS pointer (git lfs pull brings the file itself)"),
        ([.. "<?xml"u8], "an XML text, perhaps a server's error"),
        ([.. "<!doctype html"u8], "a web page"), ([.. "<html"u8], "a web page"),
    ];

    /// <summary>The compression's name; null where the bytes are not compressed.</summary>
    public static string? Compression(ReadOnlySpan<byte> start) => Find(Compressions, start);

    /// <summary>A word for what the bytes are; null where they are nothing known.</summary>
    public static string? Other(ReadOnlySpan<byte> start) => Find(Others, start);

    private static string? Find((byte[] Start, string Name)[] kinds, ReadOnlySpan<byte> bytes)
    {
        foreach (var (start, name) in kinds)
        {
            // web pages are written in either case
            if (bytes.StartsWith(start) ||
                (bytes.Length >= start.Length && Ascii.EqualsIgnoreCase(bytes[..start.Length], start)))
            {
                return name;
            }
        }
        return null;
    }
}
