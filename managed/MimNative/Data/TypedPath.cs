using MimNative.Runtime;

namespace MimNative.Data;

/// <summary>
/// Finds what a path stands for that somebody typed or wrote into a list. The path as it stands comes first; where nothing exists
/// under it, ~ is the home folder, \xE9 a byte as messages show it, and U+FFFD bytes of a name that is no UTF-8: .NET's command line
/// has lost them, but the folder still tells.
/// </summary>
internal static class TypedPath
{
    /// <summary>The full path of what exists, else of what does not.</summary>
    /// <param name="text">The path.</param>
    /// <param name="folder">What a relative path is relative to; null for the working folder.</param>
    /// <exception cref="InvalidDataException">Several names may be meant.</exception>
    public static string Find(string text, string? folder = null)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(Path.Combine(folder ?? "", text)));
        if (Exists(full))
        {
            return full;
        }
        if (text.StartsWith("~/", StringComparison.Ordinal) || text == "~")
        {
            string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
            string below = Path.Combine(home, text[1..].TrimStart('/'));
            return Find(below) is var found && Exists(found) ? found : full;
        }
        string here = Path.GetPathRoot(full)!;
        foreach (string name in full[here.Length..].Split(Path.DirectorySeparatorChar))
        {
            if (Child(here, name, text) is not { } child)
            {
                return full;
            }
            here = child;
        }
        return here;
    }

    private static string? Child(string folder, string name, string text)
    {
        string exact = Path.Combine(folder, name), shown = Path.Combine(folder, PathBytes.FromShown(name));
        if (Exists(exact) || !PathBytes.HasLoss(name))
        {
            return Exists(exact) ? exact : Exists(shown) ? shown : null;
        }
        string lost = PathBytes.WithLoss(name);
        string[] candidates = [.. Disk.List(folder).Select(entry => entry.Name).Where(other => PathBytes.WithLoss(other) == lost)];
        return candidates.Length <= 1
            ? candidates.Select(other => Path.Combine(folder, other)).FirstOrDefault()
            : throw new InvalidDataException(
                $"'{text}' may be {string.Join(" or ", candidates.Order(StringComparer.Ordinal).Select(other => $"'{PathBytes.Shown(other)}'"))}: " +
                "names that are no UTF-8 text; write the one you mean as it stands here.");
    }

    private static bool Exists(string path) => Disk.KindOf(path) != EntryKind.Missing;
}
