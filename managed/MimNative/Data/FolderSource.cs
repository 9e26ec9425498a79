using System.IO.Enumeration;

namespace MimNative.Data;

/// <summary>
/// Every picture in a folder and the folders below it, by extension (jpg, jpeg, png, webp, in any case), sorted by
/// relative path, character code by character code: the same order on every system. Links to folders are followed,
/// except one that leads back to a folder that it lies in. Folders that cannot be read are left out, with a warning.
/// </summary>
public sealed class FolderSource : IImageSource
{
    private readonly string _root;
    private readonly string[] _names;
    private readonly List<string> _warnings = [];

    public FolderSource(string folder)
        : this(folder, ListFolder)
    {
    }

    /// <summary>With another way to list a folder, for tests.</summary>
    internal FolderSource(string folder, Func<string, IEnumerable<Entry>> list)
    {
        if (!Directory.Exists(folder))
        {
            throw new DirectoryNotFoundException($"The picture folder '{folder}' does not exist.");
        }
        _root = Path.GetFullPath(folder);
        var names = new List<string>();
        Walk("", RealPath(_root), [], list, names);
        names.Sort(string.CompareOrdinal);
        _names = [.. names];
    }

    /// <summary>One thing in a folder.</summary>
    internal readonly record struct Entry(string Name, bool IsFolder, bool IsLink);

    public int Count => _names.Length;

    public IReadOnlyList<string> Warnings => _warnings;

    public string Name(int index) => _names[index];

    public string? Label(int index) => ImageNames.Label(Name(index));

    public ReadOnlySpan<byte> ReadBytes(int index, ByteBuffer buffer) =>
        ImageFile.ReadAll(Path.Combine(_root, _names[index]), buffer);

    /// <summary>Nothing stays open between reads.</summary>
    public void Dispose()
    {
    }

    // above: the real paths of the folders that this one lies in. A link to one of them would be walked for ever.
    private void Walk(string relative, string real, HashSet<string> above, Func<string, IEnumerable<Entry>> list,
                      List<string> names)
    {
        if (!above.Add(real))
        {
            return;
        }
        try
        {
            foreach (var entry in list(Path.Combine(_root, relative)))
            {
                string name = relative.Length == 0 ? entry.Name : relative + "/" + entry.Name;
                if (entry.IsFolder)
                {
                    string inside = Path.Combine(real, entry.Name);
                    Walk(name, entry.IsLink ? RealPath(inside) : inside, above, list, names);
                }
                else if (ImageNames.IsImage(entry.Name))
                {
                    names.Add(name);
                }
            }
        }
        catch (Exception error) when (relative.Length > 0 && error is UnauthorizedAccessException or IOException)
        {
            _warnings.Add($"The folder '{relative}' was left out, because it cannot be read: {error.Message}");
        }
        above.Remove(real);
    }

    private static IEnumerable<Entry> ListFolder(string folder) =>
        new FileSystemEnumerable<Entry>(
            folder,
            // attributes cost a system call each, so only folders are asked whether they are links
            static (ref FileSystemEntry entry) => new Entry(
                entry.FileName.ToString(), entry.IsDirectory,
                entry.IsDirectory && (entry.Attributes & FileAttributes.ReparsePoint) != 0),
            new EnumerationOptions { AttributesToSkip = 0, IgnoreInaccessible = false });

    // The path without any link in it.
    private static string RealPath(string path)
    {
        if (Path.GetDirectoryName(path) is not { } parent)
        {
            return path;
        }
        string here = Path.Combine(RealPath(parent), Path.GetFileName(path));
        var target = new DirectoryInfo(here).ResolveLinkTarget(returnFinalTarget: true);
        return target is null ? here : RealPath(target.FullName);
    }
}
