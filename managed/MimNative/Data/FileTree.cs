using MimNative.Runtime;

namespace MimNative.Data;

/// <summary>
/// The pictures and the shards in a folder and the folders below it, sorted by relative path, character code by character code: the
/// same order on every system. Links are followed, and yet each real folder is walked once and each file counted once, hard links
/// apart, which are files of their own. Hidden names are left out (<see cref="HiddenNames"/>), though the root may be hidden.
/// </summary>
/// <remarks>
/// Which name a file has where several lead to it: its real one, if it lies below the root; else the one through the fewest links to
/// folders, and among those through the first link in sorted order. A link to a single file is used where nothing else leads there.
/// </remarks>
internal sealed class FileTree
{
    private readonly Selection _wanted;
    private readonly Func<string, IReadOnlyList<DiskEntry>> _list;
    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);  // of walked folders, by their real paths
    private readonly Dictionary<string, string> _reals = new(StringComparer.Ordinal);  // and of linked files; by their names
    private readonly List<string> _pictures = [], _shards = [];
    private readonly List<(string Name, string Real, EntryKind Kind)> _hidden = [];
    private List<string> _links = [];

    private FileTree(string root, Selection wanted, Func<string, IReadOnlyList<DiskEntry>> list)
    {
        (Root, _wanted, _list) = (root, wanted, list);
        WalkFolder("", Disk.RealPath(root));
        FollowLinks();
        _hidden.ForEach(hidden => CountHidden(hidden.Name, hidden.Name, hidden.Real, hidden.Kind));
        _pictures.Sort(string.CompareOrdinal);
        _shards.Sort(string.CompareOrdinal);
    }

    /// <summary>The folder that names are relative to.</summary>
    public string Root { get; }

    public IReadOnlyList<string> Pictures => _pictures;

    public IReadOnlyList<string> Shards => _shards;

    /// <summary>What was left out.</summary>
    public LeftOut LeftOut { get; } = new();

    /// <param name="root">A folder.</param>
    /// <param name="wanted">Which files: those that one of these matches; null for all.</param>
    /// <param name="list">Another way to list a folder, for tests.</param>
    public static FileTree Walk(
        string root, IReadOnlyList<Glob>? wanted = null, Func<string, IReadOnlyList<DiskEntry>>? list = null) =>
        new(Path.TrimEndingDirectorySeparator(Path.GetFullPath(root)), new Selection(wanted), list ?? Disk.List);

    /// <summary>A file's path without any link in it.</summary>
    public string RealPath(string name) =>
        _reals.TryGetValue(name, out var real) ? real : Path.Combine(_reals[Parent(name)], name[(name.LastIndexOf('/') + 1)..]);

    /// <summary>True where a picture with some ending would be among these files if it were put somewhere below a folder.</summary>
    public bool WouldHold(string folder, string extension)
    {
        string real = Disk.RealPathOfNew(folder);
        for (string? above = real; above is not null; above = Path.GetDirectoryName(above))
        {
            if (_names.TryGetValue(above, out var name))
            {
                string inside = Path.GetRelativePath(above, real).Replace(Path.DirectorySeparatorChar, '/');
                return _wanted.MayReach(inside == "." ? name : Join(name, inside), extension);
            }
        }
        return false;
    }

    private void WalkFolder(string name, string real)
    {
        if (!_names.TryAdd(real, name))
        {
            return;
        }
        _reals[name] = real;
        foreach (var entry in List(name))
        {
            string path = Join(name, entry.Name);
            if (HiddenNames.Contains(entry.Name))
            {
                _hidden.Add((path, Path.Combine(real, entry.Name), entry.Kind));
            }
            else if (entry.Kind == EntryKind.Folder && _wanted.MayReach(path))
            {
                WalkFolder(path, Path.Combine(real, entry.Name));
            }
            else if (entry.Kind == EntryKind.Link)
            {
                _links.Add(path);
            }
            else if (entry.Kind == EntryKind.File && _wanted.Contains(path))
            {
                Add(path);
            }
        }
    }

    private IReadOnlyList<DiskEntry> List(string name)
    {
        try
        {
            return _list(Path.Combine(Root, name));
        }
        catch (Exception error) when (name.Length > 0 && error is UnauthorizedAccessException or IOException)
        {
            LeftOut.Folder(name, error.Message);
            return [];
        }
    }

    // Folders before files, so that a link to a file knows whether the file is here anyway; links found behind links come last.
    private void FollowLinks()
    {
        var files = new List<(string Name, string Real)>();
        while (_links.Count > 0)
        {
            var links = _links;
            _links = [];
            links.Sort(string.CompareOrdinal);
            foreach (string link in links)
            {
                switch (Target(link))
                {
                    case (EntryKind.Folder, var real) when _wanted.MayReach(link):
                        WalkFolder(link, real);
                        break;
                    case (EntryKind.File, var real):
                        files.Add((link, real));
                        break;
                }
            }
        }
        var linked = new HashSet<(string, FileKind)>();
        foreach (var (name, real) in files.OrderBy(file => file.Name, StringComparer.Ordinal))
        {
            var kind = ImageNames.KindOf(name);
            if (_wanted.Contains(name) && !IsHere(real, kind) && linked.Add((real, kind)))
            {
                Add(name);
                _reals[name] = real;
            }
        }
    }

    private (EntryKind Kind, string Real) Target(string link)
    {
        try
        {
            string real = Disk.RealPath(Path.Combine(Root, link));
            return (Disk.KindOf(real), real);
        }
        catch (Exception error) when (error is UnauthorizedAccessException or IOException)
        {
            if (_wanted.Contains(link))
            {
                LeftOut.Link(link);
            }
            return (EntryKind.Missing, "");
        }
    }

    // Whether the walk came by this file itself.
    private bool IsHere(string real, FileKind kind)
    {
        string name = Path.GetFileName(real);
        return _names.TryGetValue(Path.GetDirectoryName(real)!, out var folder) && !HiddenNames.Contains(name) &&
            ImageNames.KindOf(name) == kind && _wanted.Contains(Join(folder, name));
    }

    private void Add(string name)
    {
        switch (ImageNames.KindOf(name))
        {
            case FileKind.Picture:
                _pictures.Add(name);
                break;
            case FileKind.Shard:
                _shards.Add(name);
                break;
            case FileKind.Unread:
                LeftOut.Unread(name);
                break;
        }
    }

    // What a link has shown under another name is no longer hidden. place: the hidden name that this lies under.
    private void CountHidden(string place, string name, string real, EntryKind kind)
    {
        if (kind == EntryKind.Folder && _wanted.MayReach(name) && _names.TryAdd(real, name))
        {
            try
            {
                foreach (var entry in _list(Path.Combine(Root, name)))
                {
                    CountHidden(place, Join(name, entry.Name), Path.Combine(real, entry.Name), entry.Kind);
                }
            }
            catch (Exception error) when (error is UnauthorizedAccessException or IOException)
            {
                // nobody asked for what is in there
            }
        }
        else if (kind is EntryKind.File or EntryKind.Link && _wanted.Contains(name))
        {
            LeftOut.Hidden(ImageNames.KindOf(name), place);
        }
    }

    private static string Parent(string name) => name.LastIndexOf('/') is >= 0 and var slash ? name[..slash] : "";

    private static string Join(string folder, string name) => folder.Length == 0 ? name : folder + "/" + name;
}
