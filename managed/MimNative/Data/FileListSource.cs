namespace MimNative.Data;

/// <summary>
/// The pictures that a text file names: one path a line, absolute or relative to the list's own folder, in the order of
/// the list. Empty lines and lines that begin with # are comments. A picture named twice is there twice.
/// </summary>
public sealed class FileListSource : IImageSource
{
    private readonly string _folder;
    private readonly string[] _names;

    public FileListSource(string list)
    {
        if (!File.Exists(list))
        {
            throw new FileNotFoundException($"The list of pictures '{list}' does not exist.", list);
        }
        _folder = Path.GetDirectoryName(Path.GetFullPath(list))!;
        var names = new List<string>();
        string? firstMissing = null;
        int missing = 0, number = 0;
        foreach (string line in File.ReadLines(list))
        {
            ++number;
            string name = line.Trim();
            if (name.Length == 0 || name[0] == '#')
            {
                continue;
            }
            if (!File.Exists(Path.Combine(_folder, name)))
            {
                firstMissing ??= $"'{list}', line {number}: the picture '{name}' does not exist";
                ++missing;
            }
            names.Add(name);
        }
        if (firstMissing is not null)
        {
            string all = missing == 1 ? "" : $" ({missing} such lines in all)";
            throw new FileNotFoundException(firstMissing + all + ".", list);
        }
        _names = [.. names];
    }

    public int Count => _names.Length;

    public string Name(int index) => _names[index];

    public ReadOnlySpan<byte> ReadBytes(int index, ByteBuffer buffer) =>
        ImageFile.ReadAll(Path.Combine(_folder, _names[index]), buffer);

    /// <summary>Nothing stays open between reads.</summary>
    public void Dispose()
    {
    }
}
