using MimNative.Export;
using MimNative.Runtime;

namespace MimNative.Evaluation.Objects;

/// <summary>Opens the objects of pictures by what a text says.</summary>
public static class ObjectSources
{
    /// <summary>For messages and help.</summary>
    public const string Kinds = "a folder of Pascal VOC XML files or of mask PNGs, one such file, a COCO JSON file, " +
        "central:SHARE, or box:LEFT,TOP,WIDTH,HEIGHT";

    /// <summary>The objects of some pictures.</summary>
    /// <param name="text">
    /// A folder of Pascal VOC XML files or of mask PNGs with the names of the pictures, one such file, a COCO JSON file,
    /// <c>central:SHARE</c>, or <c>box:LEFT,TOP,WIDTH,HEIGHT</c>.
    /// </param>
    /// <param name="names">The pictures' paths.</param>
    /// <param name="firstPixel">What Pascal VOC files call the first pixel of a row or column.</param>
    /// <exception cref="InvalidFileException">A file is broken, or is about none of the pictures.</exception>
    /// <exception cref="FormatException">The text is none of these.</exception>
    public static IPictureObjects Open(string text, IReadOnlyList<string> names, int firstPixel = 1)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        ArgumentNullException.ThrowIfNull(names);
        if (text.StartsWith(RuleObjects.CentralPrefix, StringComparison.Ordinal))
        {
            return RuleObjects.Central(text, names.Count);
        }
        if (text.StartsWith(RuleObjects.BoxPrefix, StringComparison.Ordinal))
        {
            return RuleObjects.Box(text, names);
        }
        var pictures = new PictureNames(names);
        if (Directory.Exists(text))
        {
            return OpenFolder(text, pictures, firstPixel);
        }
        if (!File.Exists(text))
        {
            throw new FormatException($"the objects are '{text}', which does not exist; expected {Kinds}");
        }
        var folder = Path.GetDirectoryName(Path.GetFullPath(text))!;
        return Path.GetExtension(text).ToUpperInvariant() switch
        {
            ".XML" => new VocFiles(folder, [text], pictures, firstPixel),
            ".PNG" => new MaskFiles(folder, [text], pictures),
            ".JSON" => new CocoObjects(text, pictures),
            var other => throw new InvalidFileException(text, $"ends in '{other}', expected {Kinds}"),
        };
    }

    private static ObjectFiles OpenFolder(string folder, PictureNames pictures, int firstPixel)
    {
        string[] xml = Files(folder, "*.xml"), masks = Files(folder, "*.png");
        return (xml.Length, masks.Length) switch
        {
            ( > 0, 0) => new VocFiles(folder, xml, pictures, firstPixel),
            (0, > 0) => new MaskFiles(folder, masks, pictures),
            (0, 0) => throw new InvalidFileException(folder, "the folder holds neither XML files nor PNGs, expected one kind of them"),
            _ => throw new InvalidFileException(
                folder, $"the folder holds both XML files ({xml.Length}) and PNGs ({masks.Length}), expected one kind of them"),
        };
    }

    private static string[] Files(string folder, string pattern)
    {
        var options = new EnumerationOptions
        {
            RecurseSubdirectories = true,
            MatchCasing = MatchCasing.CaseInsensitive,
            IgnoreInaccessible = false,
        };
        try
        {
            string[] files = Directory.GetFiles(folder, pattern, options);
            Array.Sort(files, string.CompareOrdinal);
            return files;
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            throw new InvalidFileException(folder, $"cannot be read: {DiskFailure.Reason(e)}", e);
        }
    }
}
