using MimNative.Runtime;

namespace MimNative.Data;

/// <summary>
/// A path with braces, *, ?, [...] or **, and the files that it stands for. Its leading folders that are no pattern, or that exist under
/// exactly that name, are where it begins; names are relative to them.
/// </summary>
internal sealed class PathPattern
{
    private readonly string _text, _rest;

    public PathPattern(string text)
    {
        _text = text;
        var (folder, rest) = Split(text, (name, path) => IsPattern(name) && !Exists(path));
        (Folder, _rest) = (TypedPath.Find(folder.Length == 0 ? "." : folder), rest);
    }

    /// <summary>True where a path has a character that makes it a pattern, unless something exists under exactly that name.</summary>
    public static bool IsPattern(string path) => Glob.HasWildcard(path) || path.Contains('{');

    /// <summary>Where the pattern begins.</summary>
    public string Folder { get; }

    /// <summary>The pattern as it reads in any working folder.</summary>
    public string Full => Path.Combine(Folder, _rest);

    /// <summary>The files.</summary>
    /// <exception cref="DirectoryNotFoundException">It begins in a folder that does not exist.</exception>
    /// <exception cref="FileNotFoundException">Names that its braces count or list are missing.</exception>
    public PatternFiles Find()
    {
        if (Disk.KindOf(Folder) != EntryKind.Folder)
        {
            throw new DirectoryNotFoundException($"The folder '{PathBytes.Shown(Folder)}' of the pattern '{_text}' does not exist.");
        }
        var members = Braces.Expand(_rest);
        var parts = members.Select(member => member.Select(Part).ToList()).ToList();
        var files = new PatternFiles(Folder, Trees(parts), [.. parts.SelectMany(member => member).Select(part => part.File).OfType<string>()]);
        RequireAll(parts);
        return files;
    }

    /// <summary>True where a picture with some ending would match if it were put somewhere below a folder.</summary>
    public bool WouldMatch(string folder, string extension) =>
        Disk.KindOf(Folder) == EntryKind.Folder &&
        Trees([[.. Braces.Expand(_rest).SelectMany(member => member).Select(Part)]]).Any(tree => tree.WouldHold(folder, extension));

    private PatternPart Part(string text)
    {
        string full = Path.GetFullPath(Path.Combine(Folder, text));
        var (folder, rest) = Split(full, (name, path) => Glob.HasWildcard(name) && !Exists(path));
        string found = TypedPath.Find(folder);
        return Disk.KindOf(found) switch
        {
            EntryKind.Folder => new PatternPart(text, Folder: found, Glob: rest.Length == 0 ? null : new Glob(rest)),
            EntryKind.File when rest.Length == 0 => new PatternPart(text, File: found),
            _ => new PatternPart(text),
        };
    }

    // Each folder is walked once for all parts that begin in it.
    private static List<FileTree> Trees(IEnumerable<IReadOnlyList<PatternPart>> parts) =>
    [
        .. parts.SelectMany(member => member).Where(part => part.Folder is not null).GroupBy(part => part.Folder!)
            .Select(same => FileTree.Walk(same.Key, same.Any(part => part.Glob is null) ? null : [.. same.Select(part => part.Glob!)])),
    ];

    // What is spelled out must be there, and for each number of a range something.
    private void RequireAll(List<List<PatternPart>> members)
    {
        var missing = new List<string>();
        foreach (var member in members)
        {
            missing.AddRange(member.Where(part => part is { File: null, Folder: null }).Select(part => part.Text));
            if (members.Count > 1 && member.TrueForAll(part => part.Glob is { HasMatched: false }))
            {
                missing.Add(member[0].Text);
            }
        }
        int all = members.Sum(member => member.Count);
        if (missing.Count > 0)
        {
            string first = $"'{PathBytes.Shown(missing[0])}'";
            throw new FileNotFoundException(
                all == 1 ? $"'{_text}' does not exist."
                : missing.Count == 1 ? $"1 of the {all} names that '{_text}' stands for is missing: {first}."
                : $"{missing.Count} of the {all} names that '{_text}' stands for are missing; the first is {first}.", _text);
        }
    }

    // The leading names of a path up to the first that ends them, and the rest.
    private static (string Folder, string Pattern) Split(string path, Func<string, string, bool> ends)
    {
        path = path.Replace(Path.DirectorySeparatorChar, '/');
        for (int start = 0; start < path.Length;)
        {
            int slash = path.IndexOf('/', start);
            int end = slash < 0 ? path.Length : slash;
            if (end > start && ends(path[start..end], path[..end]))
            {
                return (path[..start], path[start..]);
            }
            start = end + 1;
        }
        return (path, "");
    }

    private static bool Exists(string path) => Disk.KindOf(Path.GetFullPath(path)) != EntryKind.Missing;

    // What a pattern without braces stands for: a file, a folder, or some files in a folder; nothing where it does not exist.
    private sealed record PatternPart(string Text, string? File = null, string? Folder = null, Glob? Glob = null);
}
