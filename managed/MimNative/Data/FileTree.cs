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
    private readonly IReadOnlyList<Glob>? _wanted;
    private readonly Func<string, IReadOnlyList<DiskEntry>> _list;
    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);  // of walked folders, by their real paths
    private readonly Dictionary<string, string> _reals = new(StringComparer.Ordinal);  // and of linked files; by their names
    private readonly List<string> _pictures = [], _shards = [];
    private List<string> _links = [];
    private readonly List<(string Name, string Real, EntryKind Kind)> _hidden = [];

    private FileTree(string root, IReadOnlyList<Glob>? wanted, Func<string, IReadOnlyList<DiskEntry>> list)
    {
        (Root, _wanted, _list) = (root, wanted, list);
        WalkFolder("", Disk.RealPath(root));
        FollowLinks();
        CountHidden();
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
        new(Path.TrimEndingDirectorySeparator(Path.GetFullPath(root)), wanted, list ?? Disk.List);

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
                return MayHold(inside == "." ? name : Join(name, inside), extension);
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
            else if (entry.Kind == EntryKind.Folder && MayHold(path))
            {
                WalkFolder(path, Path.Combine(real, entry.Name));
            }
            else if (entry.Kind == EntryKind.Link)
            {
                _links.Add(path);
            }
            else if (entry.Kind == EntryKind.File)
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
                    case (EntryKind.Folder, var real) when MayHold(link):
                        WalkFolder(link, real);
                        break;
                    case (EntryKind.File, var real):
                        files.Add((link, real));
                        break;
                }
            }
        }
        var linked = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, real) in files.OrderBy(file => file.Name, StringComparer.Ordinal))
        {
            if (IsWanted(name) && !IsHere(real, ImageNames.KindOf(name)) && linked.Add(real) && Add(name))
            {
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
            if (IsWanted(link))
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
            ImageNames.KindOf(name) == kind && IsWanted(Join(folder, name));
    }

    private bool Add(string name)
    {
        var kind = ImageNames.KindOf(name);
        if (kind == FileKind.Unknown || !IsWanted(name))
        {
            return false;
        }
        switch (kind)
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
        return true;
    }

    // Hidden folders that are seen through a link under another name are no longer hidden.
    private void CountHidden()
    {
        foreach (var (name, real, kind) in _hidden)
        {
            Count(name, name, real, kind);
        }
    }

    private void Count(string place, string name, string real, EntryKind kind)
    {
        if (kind == EntryKind.Folder && MayHold(name) && _names.TryAdd(real, name))
        {
            try
            {
                foreach (var entry in _list(Path.Combine(Root, name)))
                {
                    Count(place, Join(name, entry.Name), Path.Combine(real, entry.Name), entry.Kind);
                }
            }
            catch (Exception error) when (error is UnauthorizedAccessException or IOException)
            {
                // nobody asked for what is in there
            }
        }
        else if (kind is EntryKind.File or EntryKind.Link && IsWanted(name))
        {
            LeftOut.Hidden(ImageNames.KindOf(name), place);
        }
    }

    private bool MayHold(string folder, string? extension = null) =>
        _wanted is null || _wanted.Any(glob => glob.MayMatchBelow(folder, extension));

    private bool IsWanted(string file)
    {
        bool isWanted = _wanted is null;
        foreach (var glob in _wanted ?? [])
        {
            isWanted |= glob.Matches(file);  // every one is asked, so that each knows whether it has matched
        }
        return isWanted;
    }

    private static string Parent(string name) => name.LastIndexOf('/') is >= 0 and var slash ? name[..slash] : "";

    private static string Join(string folder, string name) => folder.Length == 0 ? name : folder + "/" + name;
}
