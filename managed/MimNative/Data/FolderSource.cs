using MimNative.Runtime;

namespace MimNative.Data;

/// <summary>
/// Every picture in a folder and the folders below it, by the ending of its name in any case, sorted by relative path, character code
/// by character code: the same order on every system. Links are followed and each file is there once; what is hidden, of a format that
/// is not read, or cannot be read is left out, with a warning (docs/data.md).
/// </summary>
public sealed class FolderSource : FileSource
{
    public FolderSource(string folder)
        : this(Walk(folder, list: null))
    {
    }

    /// <summary>With another way to list a folder, for tests.</summary>
    internal FolderSource(string folder, Func<string, IReadOnlyList<DiskEntry>> list)
        : this(Walk(folder, list))
    {
    }

    internal FolderSource(FileTree tree)
        : base(tree.Root, tree.Pictures, tree.LeftOut.Sentences())
    {
    }

    private static FileTree Walk(string folder, Func<string, IReadOnlyList<DiskEntry>>? list)
    {
        string found = TypedPath.Find(folder);
        return Disk.KindOf(found) == EntryKind.Folder
            ? FileTree.Walk(found, wanted: null, list)
            : throw new DirectoryNotFoundException($"The picture folder '{PathBytes.Shown(folder)}' does not exist.");
    }
}
