using MimNative.Runtime;

namespace MimNative.Data;

/// <summary>What shards are called in the names of their pictures.</summary>
internal static class ShardNames
{
    /// <summary>
    /// Each path relative to the deepest folder that all lie in, with forward slashes: a file's name where they lie in one folder, and
    /// no two alike where they do not.
    /// </summary>
    public static string[] Of(IReadOnlyList<string> paths)
    {
        string[] full = [.. paths.Select(Path.GetFullPath)];
        string? common = full.Length == 0 ? null : Path.GetDirectoryName(full[0]);
        foreach (string path in full)
        {
            while (common is not null && !IsIn(path, common))
            {
                common = Path.GetDirectoryName(common);
            }
        }
        return [.. full.Select(path => PathBytes.Shown(common is null ? path : Relative(path, common)))];
    }

    private static bool IsIn(string path, string folder) =>
        path.StartsWith(Path.TrimEndingDirectorySeparator(folder), StringComparison.Ordinal) && Relative(path, folder).Length > 0 &&
        (Path.EndsInDirectorySeparator(folder) || path[folder.Length] == Path.DirectorySeparatorChar);

    private static string Relative(string path, string folder) =>
        path[Math.Min(path.Length, folder.Length)..].TrimStart(Path.DirectorySeparatorChar).Replace(Path.DirectorySeparatorChar, '/');
}
