namespace MimNative.Data;

/// <summary>Opens pictures by what a path is. Labels are never needed.</summary>
public static class ImageSources
{
    /// <summary>
    /// A folder with pictures, flat or nested; a folder with .tar shards; one .tar file; a pattern of tar files such as
    /// "shards/train-*.tar"; or a .txt file with one path a line.
    /// </summary>
    public static IImageSource Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var source = Choose(path);
        if (source.Count == 0)
        {
            source.Dispose();
            throw new InvalidDataException($"'{path}' holds no pictures ({ImageNames.Kinds}).");
        }
        return source;
    }

    private static IImageSource Choose(string path)
    {
        if (Directory.Exists(path))
        {
            return OpenFolder(path);
        }
        if (File.Exists(path))
        {
            return OpenFile(path);
        }
        if (path.AsSpan().IndexOfAny('*', '?') >= 0)
        {
            return OpenPattern(path);
        }
        throw new FileNotFoundException(
            $"'{path}' does not exist; expected a folder of pictures, a .tar file or a .txt list.",
            path);
    }

    private static IImageSource OpenFolder(string path)
    {
        var shards = Shards(path, "*.tar");
        var folder = new FolderSource(path);
        if (folder.Count > 0 && shards.Length > 0)
        {
            throw new InvalidDataException($"'{path}' holds both pictures ({folder.Count}) and .tar shards " +
                                           $"({shards.Length}); name a folder with one kind, or '{path}/*.tar'.");
        }
        if (folder.Count > 0)
        {
            return folder;
        }
        return shards.Length > 0
            ? new TarSource(shards)
            : throw new InvalidDataException(
                $"The folder '{path}' holds no pictures ({ImageNames.Kinds}) and no .tar shards." +
                string.Concat(folder.Warnings.Select(warning => " " + warning)));
    }

    private static IImageSource OpenFile(string path)
    {
        switch (Path.GetExtension(path).ToLowerInvariant())
        {
            case ".tar" or ".tgz" or ".gz":  // a compressed one is refused by name
                return new TarSource(path);
            case ".txt" or ".lst":
                return new FileListSource(path);
            case var other:
                throw new InvalidDataException(
                    $"'{path}' ends in '{other}'; expected a folder of pictures, a .tar file or a " +
                    ".txt list.");
        }
    }

    private static TarSource OpenPattern(string pattern)
    {
        string folder = Path.GetDirectoryName(pattern) is { Length: > 0 } parent ? parent : ".";
        if (!Directory.Exists(folder))
        {
            throw new DirectoryNotFoundException($"The folder '{folder}' of the pattern '{pattern}' does not exist.");
        }
        var shards = Shards(folder, Path.GetFileName(pattern));
        return shards.Length > 0
            ? new TarSource(shards)
            : throw new FileNotFoundException($"No file matches '{pattern}'.", pattern);
    }

    private static string[] Shards(string folder, string pattern)
    {
        var options = new EnumerationOptions { AttributesToSkip = 0, MatchCasing = MatchCasing.CaseInsensitive };
        string[] shards = Directory.GetFiles(folder, pattern, options);
        Array.Sort(shards, string.CompareOrdinal);
        return shards;
    }
}
