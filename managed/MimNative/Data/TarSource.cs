using Microsoft.Win32.SafeHandles;

namespace MimNative.Data;

/// <summary>
/// The pictures in one or several tar archives ("shards", as WebDataset writes them), read where they lie: nothing is
/// unpacked. The order is that of the shards as given, and inside a shard that of the archive. Entries of other kinds
/// than pictures (.cls, .json, .txt, ...) are passed over. With several shards a name is "shard.tar:entry".
/// </summary>
public sealed class TarSource : IImageSource
{
    private readonly Shard[] _shards;

    public TarSource(params IReadOnlyList<string> archives)
    {
        ArgumentNullException.ThrowIfNull(archives);
        _shards = new Shard[archives.Count];
        int opened = 0;
        try
        {
            for (int first = 0; opened < archives.Count; ++opened)
            {
                _shards[opened] = Open(archives[opened], first);
                first = checked(first + _shards[opened].Entries.Length);
            }
        }
        catch
        {
            foreach (var shard in _shards.AsSpan(0, opened))
            {
                shard.File.Dispose();
            }
            throw;
        }
        Count = _shards.Sum(shard => shard.Entries.Length);
    }

    public int Count { get; }

    public string Name(int index)
    {
        var (shard, entry) = Find(index);
        return _shards.Length == 1 ? entry.Name : Path.GetFileName(shard.Path) + ":" + entry.Name;
    }

    public string? Label(int index) => ImageNames.Label(Find(index).Entry.Name);

    public ReadOnlySpan<byte> ReadBytes(int index, ByteBuffer buffer)
    {
        var (shard, entry) = Find(index);
        return ImageFile.ReadAt(shard.File, entry.Offset, entry.Size, buffer, shard.Path);
    }

    public void Dispose()
    {
        foreach (var shard in _shards)
        {
            shard.File.Dispose();
        }
    }

    private static Shard Open(string path, int first)
    {
        if (!System.IO.File.Exists(path))
        {
            throw new FileNotFoundException($"The tar archive '{path}' does not exist.", path);
        }
        var file = System.IO.File.OpenHandle(path, options: FileOptions.RandomAccess);
        try
        {
            var entries = new TarIndex(file, path).Read(name => ImageNames.IsImage(name));
            return new Shard(path, file, first, [.. entries]);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private (Shard Shard, TarEntry Entry) Find(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        int low = 0, high = _shards.Length - 1;  // the last shard that begins at or before index
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            (low, high) = _shards[middle].First <= index ? (middle, high) : (low, middle - 1);
        }
        return (_shards[low], _shards[low].Entries[index - _shards[low].First]);
    }

    private sealed record Shard(string Path, SafeFileHandle File, int First, TarEntry[] Entries);
}
