using MimNative.Export;

namespace MimNative.Evaluation.Objects;

/// <summary>
/// Finds the picture that a file beside it is about. Two paths without their extensions mean the same picture where the shorter one is
/// the end of the longer: "VOC/JPEGImages/a.jpg" and "a.xml", "a.jpg" and "masks/a.png", but not "cat/1.jpg" and "dog/1.png".
/// </summary>
internal sealed class PictureNames
{
    private readonly ILookup<string, int> _byStem;
    private readonly string[][] _paths;

    public PictureNames(IReadOnlyList<string> names)
    {
        _paths = [.. names.Select(Parts)];
        _byStem = Enumerable.Range(0, names.Count).ToLookup(i => _paths[i][^1], StringComparer.Ordinal);
        Names = names;
    }

    public IReadOnlyList<string> Names { get; }

    /// <summary>The number of the picture; null where there is none.</summary>
    /// <param name="path">The path of the other file below its folder.</param>
    /// <param name="file">The file that the path is of, or stands in, for the message.</param>
    public int? Find(string path, string file)
    {
        var parts = Parts(path);
        var found = _byStem[parts[^1]].Where(i => SameEnd(parts, _paths[i])).Take(2).ToArray();
        return found switch
        {
            [] => null,
            [var one] => one,
            _ => throw new InvalidFileException(
                file, $"'{path}' could be about '{Names[found[0]]}' or '{Names[found[1]]}', expected one picture of that name"),
        };
    }

    /// <summary>The error that a file has nothing to do with the pictures.</summary>
    public InvalidFileException Foreign(string file, string first) => new(
        file, $"is about none of the {Names.Count} pictures; its first is '{first}', the first picture is '{Names[0]}'");

    private static bool SameEnd(string[] a, string[] b)
    {
        var shorter = Math.Min(a.Length, b.Length);
        return a.AsSpan(a.Length - shorter).SequenceEqual(b.AsSpan(b.Length - shorter));
    }

    // "shard.tar:folder/a.jpg" is an entry of an archive
    private static string[] Parts(string path)
    {
        string[] parts = path.Replace('\\', '/').Split(['/', ':'], StringSplitOptions.RemoveEmptyEntries)
            is { Length: > 0 } some ? [.. some.Where(p => p is not ("." or ".."))] : [path];
        parts = parts.Length == 0 ? [path] : parts;
        parts[^1] = Path.GetFileNameWithoutExtension(parts[^1]);
        return parts;
    }
}
