namespace MimNative.Data;

/// <summary>Which files of a folder are wanted: those that one of some patterns matches, or all.</summary>
internal sealed class Selection(IReadOnlyList<Glob>? patterns)
{
    public bool Contains(string file)
    {
        bool isWanted = patterns is null;
        foreach (var pattern in patterns ?? [])
        {
            isWanted |= pattern.Matches(file);  // every one is asked, so that each knows whether it has matched
        }
        return isWanted;
    }

    /// <summary>False where nothing below a folder, of some ending or of any, can be wanted.</summary>
    public bool MayReach(string folder, string? extension = null) =>
        patterns is null || patterns.Any(pattern => pattern.MayMatchBelow(folder, extension));
}
