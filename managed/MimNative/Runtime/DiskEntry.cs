namespace MimNative.Runtime;

/// <summary>What a name in a folder stands for.</summary>
internal enum EntryKind
{
    Missing,
    File,
    Folder,

    /// <summary>A symbolic link, to whatever it may be.</summary>
    Link,

    /// <summary>A device, a pipe, a socket.</summary>
    Other,
}

/// <summary>One thing in a folder; its name may hold bytes as in <see cref="PathBytes"/>.</summary>
internal readonly record struct DiskEntry(string Name, EntryKind Kind);
