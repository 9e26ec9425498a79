using MimNative.Runtime;

namespace MimNative.Data;

/// <summary>How many there are of something, and which is the first in sorted order.</summary>
internal sealed class Tally
{
    public int Count { get; private set; }

    public string First { get; private set; } = "";

    public void Add(string name, int count = 1)
    {
        First = Count == 0 || string.CompareOrdinal(name, First) < 0 ? name : First;
        Count += count;
    }
}

/// <summary>What a walk through folders passed over, for the sentences that say so.</summary>
internal sealed class LeftOut
{
    private readonly SortedDictionary<string, string> _folders = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, int> _unreadByExtension = new(StringComparer.Ordinal);
    private readonly Tally _links = new(), _hiddenPictures = new(), _hiddenShards = new(), _unread = new();

    /// <summary>A folder that cannot be read.</summary>
    public void Folder(string name, string reason) => _folders[name] = reason;

    /// <summary>A link to nothing.</summary>
    public void Link(string name) => _links.Add(name);

    /// <summary>A file in a hidden folder, or one that is hidden itself; the place is that of the hidden name.</summary>
    public void Hidden(FileKind kind, string place)
    {
        if (kind is FileKind.Picture or FileKind.Shard)
        {
            (kind == FileKind.Picture ? _hiddenPictures : _hiddenShards).Add(place);
        }
    }

    /// <summary>A file of a format that is not read.</summary>
    public void Unread(string name)
    {
        _unread.Add(name);
        string extension = ImageNames.Extension(name).ToString().ToLowerInvariant();
        _unreadByExtension[extension] = _unreadByExtension.GetValueOrDefault(extension) + 1;
    }

    /// <summary>Adds what was left out in a folder.</summary>
    public void Add(string folder, LeftOut other)
    {
        foreach (var (name, reason) in other._folders)
        {
            _folders[folder + name] = reason;
        }
        foreach (var (extension, count) in other._unreadByExtension)
        {
            _unreadByExtension[extension] = _unreadByExtension.GetValueOrDefault(extension) + count;
        }
        Tally[] mine = [_links, _hiddenPictures, _hiddenShards, _unread];
        Tally[] others = [other._links, other._hiddenPictures, other._hiddenShards, other._unread];
        foreach (var (sum, added) in mine.Zip(others).Where(pair => pair.Second.Count > 0))
        {
            sum.Add(folder + added.First, added.Count);
        }
    }

    /// <summary>One sentence for each kind of thing.</summary>
    public IReadOnlyList<string> Sentences()
    {
        var sentences = _folders.Select(
            folder => $"The folder '{PathBytes.Shown(folder.Key)}' was left out, because it cannot be read: {folder.Value}").ToList();
        if (_links.Count > 0)
        {
            sentences.Add($"{Counted(_links, "link leads", "links lead")} nowhere and {Were(_links)} passed over; {First(_links)}.");
        }
        foreach (var (hidden, one, many) in new[] { (_hiddenPictures, "picture lies", "pictures lie"), (_hiddenShards, ".tar shard lies", ".tar shards lie") })
        {
            if (hidden.Count > 0)
            {
                sentences.Add($"{Counted(hidden, one, many)} under hidden names (docs/data.md) and {Were(hidden)} left out; {First(hidden)}.");
            }
        }
        if (_unread.Count > 0)
        {
            string kinds = string.Join(", ", _unreadByExtension.Select(kind => $"{kind.Value} {kind.Key}"));
            sentences.Add($"{Counted(_unread, "file of a format that is", "files of formats that are")} not read {Were(_unread)} passed over " +
                          $"({kinds}); {First(_unread)}.");
        }
        return sentences;
    }

    private static string Counted(Tally tally, string one, string many) => $"{tally.Count} {(tally.Count == 1 ? one : many)}";

    private static string Were(Tally tally) => tally.Count == 1 ? "was" : "were";

    private static string First(Tally tally) => $"{(tally.Count == 1 ? "it is" : "the first is")} '{PathBytes.Shown(tally.First)}'";
}
