using MimNative.Runtime;

namespace MimNative.Data;

/// <summary>Where data lies: what <see cref="ImageSources.Open"/> takes, a pattern included.</summary>
internal static class DataLocation
{
    /// <summary>The same place as it reads in any working folder.</summary>
    public static string Full(string path)
    {
        string found = TypedPath.Find(path);
        return Disk.KindOf(found) == EntryKind.Missing && PathPattern.IsPattern(path) ? new PathPattern(path).Full : found;
    }

    /// <summary>The place as the line of a file, from any working folder. A name may end in blanks, or hold bytes that are no text.</summary>
    public static byte[] ToLine(string path) => PathBytes.ToBytes(Full(path) + "\n");

    /// <summary>What such a line says; null where it says nothing. Blanks around it are a writer's, where that is what exists.</summary>
    public static string? FromLine(ReadOnlySpan<byte> line)
    {
        string path = PathBytes.FromBytes(line.StartsWith("\uFEFF"u8) ? line["\uFEFF"u8.Length..] : line);
        path = path.EndsWith('\n') ? path[..^1] : path;
        string trimmed = path.Trim();
        return trimmed.Length == 0 ? null
            : Disk.KindOf(path) == EntryKind.Missing && Disk.KindOf(trimmed) != EntryKind.Missing ? trimmed
            : path;
    }

    /// <summary>True where pictures with some ending would be data if they were put below a folder, which need not exist yet.</summary>
    public static bool Covers(string path, string folder, string extension)
    {
        string found = TypedPath.Find(path);
        return Disk.KindOf(found) switch
        {
            EntryKind.Folder => FileTree.Walk(found).WouldHold(folder, extension),
            EntryKind.Missing => PathPattern.IsPattern(path) && new PathPattern(path).WouldMatch(folder, extension),
            _ => false,
        };
    }
}
