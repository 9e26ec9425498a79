using MimNative.Runtime;

namespace MimNative.Data;

/// <summary>
/// A list of pictures as a text file: UTF-8 with or without a byte order mark, lines ended as on any system. Names that are no UTF-8
/// are taken byte by byte.
/// </summary>
internal sealed class FileList
{
    private readonly string _path;

    private FileList(string path)
    {
        _path = path;
        Folder = Path.GetDirectoryName(TypedPath.Find(path))!;
    }

    /// <summary>Where relative names begin.</summary>
    public string Folder { get; }

    public List<string> Names { get; } = [];

    public static FileList Read(string path)
    {
        string found = TypedPath.Find(path);
        if (Disk.KindOf(found) != EntryKind.File)
        {
            throw new FileNotFoundException($"The list of pictures '{PathBytes.Shown(path)}' does not exist.", path);
        }
        var list = new FileList(path);
        list.Read(ImageFile.ReadAll(found, new ByteBuffer()));
        return list;
    }

    private void Read(ReadOnlySpan<byte> text)
    {
        text = text.StartsWith("\uFEFF"u8) ? text["\uFEFF"u8.Length..] : text;
        if (text is [0xff, 0xfe, ..] or [0xfe, 0xff, ..] || text.Contains((byte)0))
        {
            throw new InvalidDataException($"The list '{PathBytes.Shown(_path)}' is no UTF-8 text (UTF-16, or a binary file); save it as UTF-8.");
        }
        string? firstWrong = null;
        int wrong = 0, number = 0;
        foreach (var range in text.Split((byte)'\n'))
        {
            ++number;
            string line = PathBytes.FromBytes(text[range]), trimmed = line.Trim();
            if (trimmed.Length == 0)
            {
                continue;
            }
            string? name = Existing(line);
            if (name is not null && ImageNames.KindOf(name) != FileKind.Shard)
            {
                Names.Add(name);
            }
            else if (name is not null || trimmed[0] != '#')
            {
                firstWrong ??= $"'{PathBytes.Shown(_path)}', line {number}: {Explain(trimmed)}";
                ++wrong;
            }
        }
        if (firstWrong is not null)
        {
            string all = wrong == 1 ? "" : $" ({wrong} such lines in all)";
            throw new FileNotFoundException(firstWrong + all + ".", _path);
        }
    }

    // The name that exists: the line as it stands, for blanks may belong to a name, then without them, then without quotes.
    private string? Existing(string line)
    {
        string trimmed = line.Trim();
        foreach (string name in (string[])[line.TrimEnd('\r'), trimmed, Unquoted(trimmed)])
        {
            if (IsFile(Path.Combine(Folder, name)))
            {
                return name;
            }
        }
        string typed = Unquoted(trimmed);
        string found = trimmed[0] == '#' ? "" : TypedPath.Find(typed, Folder);
        return IsFile(found) ? Path.GetRelativePath(Folder, found) : null;
    }

    private string Explain(string line)
    {
        string shown = PathBytes.Shown(line);
        switch (Disk.KindOf(Path.Combine(Folder, line)))
        {
            case EntryKind.Folder:
                return $"'{shown}' is a folder; a list names pictures, one a line";
            case EntryKind.File:
                return $"'{shown}' is a tar archive; a list names pictures, shards are named by a folder or a pattern such as '*.tar'";
            case EntryKind.Other:
                return $"'{shown}' is no regular file";
        }
        for (int end = line.Length; (end = line.LastIndexOfAny(['\t', ' ', ',', ';'], end - 1)) > 0;)
        {
            string path = Unquoted(line[..end].TrimEnd());
            if (IsFile(Path.Combine(Folder, path)))
            {
                return $"the picture '{shown}' does not exist, but '{PathBytes.Shown(path)}' does; a list has one path a line and no labels";
            }
        }
        return $"the picture '{shown}' does not exist";
    }

    private static bool IsFile(string path) => path.Length > 0 && Disk.KindOf(path) == EntryKind.File;

    private static string Unquoted(string line) =>
        line.Length > 2 && line[0] is '"' or '\'' && line[^1] == line[0] ? line[1..^1] : line;
}
