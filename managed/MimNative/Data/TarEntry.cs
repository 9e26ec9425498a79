namespace MimNative.Data;

/// <summary>
/// Where the bytes of a file lie in a tar archive, and how many they are. A sparse file has a map: its size is that
/// with all holes, and what is stored are the map's pieces.
/// </summary>
internal readonly record struct TarEntry(string Name, long Offset, long Size, SparseMap? Map = null);

/// <summary>What makes a member of an archive a link.</summary>
internal enum TarLink
{
    /// <summary>It is none: the member has bytes of its own.</summary>
    None,

    /// <summary>The target is a name in the archive.</summary>
    Hard,

    /// <summary>The target is a path, seen from the folder that the link lies in.</summary>
    Symbolic,
}

/// <summary>A file or a link of an archive; a link's entry has nothing but its name.</summary>
internal readonly record struct TarMember(TarEntry Entry, TarLink Link = TarLink.None, string Target = "")
{
    public string Name => Entry.Name;
}
