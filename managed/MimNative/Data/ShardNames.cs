using MimNative.Runtime;

namespace MimNative.Data;

/// <summary>What shards are called in the names of their pictures.</summary>
internal static class ShardNames
{
    /// <summary>The files' names; where two are the same, the paths from the folder that all of them lie in.</summary>
    public static string[] Of(IReadOnlyList<string> paths)
    {
        string[] names = [.. paths.Select(path => PathBytes.Shown(Path.GetFileName(path)))];
        if (names.Distinct().Count() == names.Length)
        {
            return names;
        }
        string[] full = [.. paths.Select(Path.GetFullPath)];
        string? common = Path.GetDirectoryName(full[0]);
        while (common is not null && !full.All(path => IsBelow(path, common)))
        {
            common = Path.GetDirectoryName(common);
        }
        return [.. full.Select(path => PathBytes.Shown(
            common is null ? path : Path.GetRelativePath(common, path).Replace(Path.DirectorySeparatorChar, '/')))];
    }

    private static bool IsBelow(string path, string folder) =>
        path.StartsWith(Path.EndsInDirectorySeparator(folder) ? folder : folder + Path.DirectorySeparatorChar, StringComparison.Ordinal);
}
