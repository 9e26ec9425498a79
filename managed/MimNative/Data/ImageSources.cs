using MimNative.Runtime;

namespace MimNative.Data;

/// <summary>Opens pictures by what a path is. Labels are never needed.</summary>
public static class ImageSources
{
    /// <summary>
    /// A folder with pictures or with .tar shards, flat or nested; one .tar file; a pattern of pictures or of shards such as
    /// "photos/**/*.jpg" or "part-{000..099}.tar"; or a .txt file with one path a line. What exists under exactly the given name is
    /// meant, even where the name could be a pattern. docs/data.md says what is read and what is left out.
    /// </summary>
    public static IImageSource Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var source = Choose(path);
        if (source.Count == 0)
        {
            source.Dispose();
            throw new InvalidDataException(
                $"'{PathBytes.Shown(path)}' holds no pictures ({ImageNames.Kinds})." + Appended(source.Warnings));
        }
        return source;
    }

    private static IImageSource Choose(string path)
    {
        string found = TypedPath.Find(path), shown = PathBytes.Shown(path);
        return Disk.KindOf(found) switch
        {
            EntryKind.Folder => OpenFolder(found, shown),
            EntryKind.File => OpenFile(found, shown),
            EntryKind.Missing when PathPattern.IsPattern(path) => OpenPattern(path, shown),
            EntryKind.Missing => throw new FileNotFoundException(
                $"'{shown}' does not exist; expected a folder of pictures, a .tar file, a .txt list or a pattern such as '*.jpg'.", path),
            _ => throw new InvalidDataException($"'{shown}' is neither a folder nor a regular file."),
        };
    }

    private static IImageSource OpenFolder(string path, string shown)
    {
        var tree = FileTree.Walk(path);
        return (tree.Pictures.Count, tree.Shards.Count) switch
        {
            (0, 0) => throw new InvalidDataException(
                $"The folder '{shown}' holds no pictures ({ImageNames.Kinds}) and no .tar shards." + Appended(tree.LeftOut.Sentences())),
            (_, 0) => new FolderSource(tree),
            (0, _) => Archives(path, tree.Shards, tree.LeftOut.Sentences()),
            var (pictures, shards) => throw new InvalidDataException(
                $"'{shown}' holds both pictures ({pictures}) and .tar shards ({shards}); name a folder with one kind, or a pattern such " +
                $"as '{shown}/**/*.tar'."),
        };
    }

    private static IImageSource OpenFile(string path, string shown)
    {
        switch (Path.GetExtension(path).ToLowerInvariant())
        {
            case ".tar" or ".tgz" or ".gz":  // a compressed one is refused by name
                return new TarSource(path);
            case ".txt" or ".lst":
                return new FileListSource(path);
            case var other:
                throw new InvalidDataException(
                    $"'{shown}' ends in '{PathBytes.Shown(other)}'; expected a folder of pictures, a .tar file or a .txt list.");
        }
    }

    private static IImageSource OpenPattern(string path, string shown)
    {
        var pattern = new PathPattern(path);
        var files = pattern.Find();
        return (files.Pictures.Length, files.Shards.Length) switch
        {
            (0, 0) => throw new FileNotFoundException(
                $"No file matches '{shown}' that is a picture ({ImageNames.Kinds}) or a .tar shard." + Appended(files.Warnings), path),
            (_, 0) => new PatternSource(pattern.Folder, files),
            (0, _) => Archives(pattern.Folder, files.Shards, files.Warnings),
            var (pictures, shards) => throw new InvalidDataException(
                $"'{shown}' matches both pictures ({pictures}) and .tar shards ({shards}); write a pattern for one kind."),
        };
    }

    private static TarSource Archives(string folder, IEnumerable<string> names, IReadOnlyList<string> warnings) =>
        new([.. names.Select(name => Path.GetFullPath(Path.Combine(folder, name)))]) { PassedOver = warnings };

    private static string Appended(IEnumerable<string> sentences) => string.Concat(sentences.Select(sentence => " " + sentence));
}
