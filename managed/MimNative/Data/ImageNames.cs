namespace MimNative.Data;

/// <summary>What the name of a file says about it.</summary>
internal static class ImageNames
{
    private static readonly string[] Extensions = [".jpg", ".jpeg", ".png", ".webp"];

    /// <summary>For messages.</summary>
    public const string Kinds = "jpg, jpeg, png or webp";

    /// <summary>
    /// True for the extensions of pictures, in any case. The "._x.jpg" files that macOS adds beside "x.jpg" are none.
    /// </summary>
    public static bool IsImage(ReadOnlySpan<char> path)
    {
        var extension = Path.GetExtension(path);
        foreach (var known in Extensions)
        {
            if (extension.Equals(known, StringComparison.OrdinalIgnoreCase))
            {
                return !Path.GetFileName(path).StartsWith("._", StringComparison.Ordinal);
            }
        }
        return false;
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
