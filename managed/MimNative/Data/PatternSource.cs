namespace MimNative.Data;

/// <summary>
/// The pictures that a pattern such as "photos/**/*.jpg" or "{a,b}/*.png" stands for, sorted by name, which is relative to the folder
/// that the pattern begins in. What it stands for is in docs/data.md.
/// </summary>
public sealed class PatternSource : FileSource
{
    public PatternSource(string pattern)
        : this(new PathPattern(pattern))
    {
    }

    private PatternSource(PathPattern pattern)
        : this(pattern.Folder, pattern.Find())
    {
    }

    internal PatternSource(string folder, PatternFiles files)
        : base(folder, files.Pictures, files.Warnings)
    {
    }
}
