using MimNative.Runtime;

namespace MimNative.Data;

/// <summary>
/// The files that a pattern stands for, each once: under its real name where the pattern leads to that too, sorted by name.
/// </summary>
internal sealed class PatternFiles
{
    private readonly string _folder, _real;
    private readonly IReadOnlyList<FileTree> _trees;
    private readonly IReadOnlyList<string> _files;

    /// <param name="folder">The folder that names are relative to.</param>
    /// <param name="trees">The folders that the pattern looks into.</param>
    /// <param name="files">Full paths of files that it spells out.</param>
    public PatternFiles(string folder, IReadOnlyList<FileTree> trees, IReadOnlyList<string> files)
    {
        (_folder, _real, _trees, _files) = (folder, Disk.RealPath(folder), trees, files);
        Pictures = Of(FileKind.Picture, tree => tree.Pictures);
        Shards = Of(FileKind.Shard, tree => tree.Shards);
        var leftOut = new LeftOut();
        foreach (var tree in trees)
        {
            leftOut.Add(Name(tree.Root) is "." ? "" : Name(tree.Root) + "/", tree.LeftOut);
        }
        foreach (string unread in files.Where(file => ImageNames.KindOf(file) == FileKind.Unread).Distinct())
        {
            leftOut.Unread(Name(unread));
        }
        Warnings = leftOut.Sentences();
    }

    public string[] Pictures { get; }

    public string[] Shards { get; }

    /// <summary>What was left out, one sentence each.</summary>
    public IReadOnlyList<string> Warnings { get; }

    private string[] Of(FileKind kind, Func<FileTree, IReadOnlyList<string>> ofTree) =>
    [
        .. _trees.SelectMany(tree => ofTree(tree).Select(name => (Name: Name(Path.Combine(tree.Root, name)), Real: tree.RealPath(name))))
            .Concat(_files.Where(file => ImageNames.KindOf(file) == kind).Select(file => (Name: Name(file), Real: Disk.RealPath(file))))
            .OrderBy(file => Path.Combine(_real, file.Name) != file.Real)
            .ThenBy(file => file.Name, StringComparer.Ordinal)
            .DistinctBy(file => file.Real)
            .Select(file => file.Name)
            .Order(StringComparer.Ordinal),
    ];

    private string Name(string path) => Path.GetRelativePath(_folder, path).Replace(Path.DirectorySeparatorChar, '/');
}
