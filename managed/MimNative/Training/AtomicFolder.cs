using MimNative.Runtime;

namespace MimNative.Training;

/// <summary>
/// A folder that appears under its name only when it is complete. Its files are written into
/// <c>name.partial</c> beside it, each flushed to the disk; <see cref="Commit"/> renames. Disposing without
/// a commit removes what was written.
/// </summary>
internal sealed class AtomicFolder : IDisposable
{
    /// <summary>Ends the name of a folder that is being written or removed.</summary>
    public const string Partial = ".partial";

    /// <summary>Ends the name of a complete folder that is about to be replaced.</summary>
    public const string Replaced = ".replaced";

    private readonly string _path, _partial;
    private readonly Func<string, Stream> _create;
    private bool _committed;

    /// <summary>Begins to write a folder; <paramref name="create"/> opens its files.</summary>
    public AtomicFolder(string path, Func<string, Stream>? create = null)
    {
        _path = path;
        _partial = path + Partial;
        _create = create ?? (file => new FileStream(file, FileMode.CreateNew, FileAccess.Write));
        RemoveTree(_partial);
        Directory.CreateDirectory(_partial);
    }

    /// <summary>Writes one file and flushes it to the disk.</summary>
    public void Write(string name, Action<Stream> content)
    {
        using Stream stream = _create(Path.Combine(_partial, name));
        content(stream);
        if (stream is FileStream file)
        {
            file.Flush(flushToDisk: true);
        }
        else
        {
            stream.Flush();
        }
    }

    /// <summary>Gives the folder its name. A folder that already has it is replaced.</summary>
    public void Commit()
    {
        string parent = Path.GetDirectoryName(Path.GetFullPath(_path))!;
        DirectorySync.Flush(_partial);
        if (Directory.Exists(_path))
        {
            // a crash between the two renames is repaired by Recover
            RemoveTree(_path + Replaced);
            Directory.Move(_path, _path + Replaced);
        }
        Directory.Move(_partial, _path);
        _committed = true;
        DirectorySync.Flush(parent);
        RemoveTree(_path + Replaced);
    }

    /// <summary>Removes what was written unless it was committed.</summary>
    public void Dispose()
    {
        if (_committed)
        {
            return;
        }
        try
        {
            RemoveTree(_partial);
        }
        catch (Exception failure) when (DiskFailure.Is(failure))
        {
            // whatever made the writing fail is being reported; Recover tries again at the next start
        }
    }

    /// <summary>Removes a complete folder; a crash half-way leaves only something unfinished.</summary>
    public static void Remove(string path)
    {
        RemoveTree(path + Partial);
        Directory.Move(path, path + Partial);
        RemoveTree(path + Partial);
    }

    /// <summary>
    /// Clears away what a crash left in <paramref name="parent"/> and returns the paths removed. A folder that
    /// was being replaced is put back where its replacement had not got its name yet.
    /// </summary>
    public static IReadOnlyList<string> Recover(string parent)
    {
        if (!Directory.Exists(parent))
        {
            return [];
        }
        var removed = new List<string>();
        foreach (string replaced in Directory.GetDirectories(parent, "*" + Replaced))
        {
            string path = replaced[..^Replaced.Length];
            if (Directory.Exists(path))
            {
                RemoveTree(replaced);
                removed.Add(replaced);
            }
            else
            {
                Directory.Move(replaced, path);
            }
        }
        foreach (string partial in Directory.GetDirectories(parent, "*" + Partial))
        {
            RemoveTree(partial);
            removed.Add(partial);
        }
        return removed;
    }

    private static void RemoveTree(string path)
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
    }
}
