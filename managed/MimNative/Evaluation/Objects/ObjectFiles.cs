using MimNative.Export;
using MimNative.Runtime;

namespace MimNative.Evaluation.Objects;

/// <summary>Objects of which each picture has a file of its own.</summary>
internal abstract class ObjectFiles : IPictureObjects
{
    private readonly SortedDictionary<int, string> _files = [];
    private readonly PictureNames _names;

    /// <param name="folder">The folder that the files are in, or in folders of it.</param>
    /// <param name="files">Their paths.</param>
    /// <param name="names">The pictures.</param>
    protected ObjectFiles(string folder, IReadOnlyList<string> files, PictureNames names)
    {
        _names = names;
        foreach (var file in files)
        {
            if (names.Find(Path.GetRelativePath(folder, file), file) is { } picture && !_files.TryAdd(picture, file))
            {
                throw new InvalidFileException(
                    file, $"is about '{names.Names[picture]}', and so is '{_files[picture]}'; expected one file for a picture");
            }
        }
        if (_files.Count == 0)
        {
            throw names.Foreign(files.Count == 1 ? files[0] : folder, Path.GetRelativePath(folder, files[0]));
        }
        var others = files.Count - _files.Count;
        Notes = others == 0 ? [] : [$"{others} of {files.Count} files in '{folder}' are about none of the pictures"];
        Pictures = [.. _files.Keys];
    }

    public IReadOnlyList<int> Pictures { get; }

    public IReadOnlyList<string> Notes { get; }

    public IReadOnlyList<PictureObject> Read(int picture, int height, int width)
    {
        if (!_files.TryGetValue(picture, out var file))
        {
            return [];
        }
        try
        {
            return ReadFile(file, _names.Names[picture], height, width);
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            throw new InvalidFileException(file, $"cannot be read: {DiskFailure.Reason(e)}", e);
        }
    }

    /// <summary>The objects that a file tells of, of a picture of height x width.</summary>
    protected abstract IReadOnlyList<PictureObject> ReadFile(string file, string picture, int height, int width);
}
