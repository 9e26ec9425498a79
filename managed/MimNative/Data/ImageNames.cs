using System.Collections.Frozen;

namespace MimNative.Data;

/// <summary>What a file is by the ending of its name.</summary>
internal enum FileKind
{
    /// <summary>Nothing to do with pictures.</summary>
    Unknown,

    Picture,

    /// <summary>A tar archive.</summary>
    Shard,

    /// <summary>A picture of a format that is not read, or a compressed archive of whatever.</summary>
    Unread,
}

/// <summary>What the name of a file says about it.</summary>
internal static class ImageNames
{
    /// <summary>For messages.</summary>
    public const string Kinds = "jpg, jpeg, jpe, jif, jfif, jfi, pjpeg, pjp, png or webp";

    private static readonly FrozenDictionary<string, FileKind> ByExtension = new (FileKind Kind, string Extensions)[]
    {
        (FileKind.Picture, ".jpg .jpeg .jpe .jif .jfif .jfi .pjpeg .pjp .png .webp"),
        (FileKind.Shard, ".tar"),
        (FileKind.Unread,
         ".gif .bmp .dib .tif .tiff .heic .heif .hif .avif .jxl .jp2 .j2k .jpx .jxr .apng .mpo .ico .svg .psd .xcf .tga .exr .hdr .dds " +
         ".qoi .pbm .pgm .ppm .pnm .dng .cr2 .cr3 .nef .arw .orf .rw2 .raf .raw .pef .srw"),
        (FileKind.Unread, ".zip .rar .7z .tgz .tbz2 .txz .tar.gz .tar.bz2 .tar.xz .tar.zst"),
    }
    .SelectMany(kind => kind.Extensions.Split(' '), (kind, extension) => KeyValuePair.Create(extension, kind.Kind))
    .ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenDictionary<string, FileKind>.AlternateLookup<ReadOnlySpan<char>> Lookup =
        ByExtension.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>
    /// By the ending, in any case. The "._x.jpg" files that macOS adds beside "x.jpg" are no pictures.
    /// </summary>
    public static FileKind KindOf(ReadOnlySpan<char> path) =>
        Path.GetFileName(path).StartsWith("._", StringComparison.Ordinal) ? FileKind.Unknown
        : Lookup.TryGetValue(Extension(path), out var kind) ? kind
        : FileKind.Unknown;

    /// <summary>True for the endings of pictures that are read.</summary>
    public static bool IsImage(ReadOnlySpan<char> path) => KindOf(path) == FileKind.Picture;

    /// <summary>The ending: ".jpg", but ".tar.gz" too.</summary>
    public static ReadOnlySpan<char> Extension(ReadOnlySpan<char> path)
    {
        var last = Path.GetExtension(path);
        bool isCompressedTar = Path.GetExtension(path[..^last.Length]).Equals(".tar", StringComparison.OrdinalIgnoreCase);
        return isCompressedTar ? path[^(last.Length + ".tar".Length)..] : last;
    }

    /// <summary>
    /// The first folder of a path with forward slashes; null where there is none, or only one that leads outside.
    /// </summary>
    public static string? Label(string path)
    {
        int start = path.StartsWith("./", StringComparison.Ordinal) ? 2 : 0;
        int slash = path.IndexOf('/', start);
        return slash > start && path[start..slash] is not ".." and var folder ? folder : null;
    }
}
