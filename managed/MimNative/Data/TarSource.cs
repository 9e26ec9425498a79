using Microsoft.Win32.SafeHandles;
using MimNative.Runtime;

namespace MimNative.Data;

/// <summary>
/// The pictures in one or several tar archives ("shards", as WebDataset writes them), read where they lie: nothing is
/// unpacked. The order is that of the shards as given, and inside a shard that of the archive. Entries of other kinds
/// than pictures (.cls, .json, .txt, ...) are passed over. With several shards a name is "shard.tar:entry", and where
/// two shards have the same name "folder/shard.tar:entry".
/// </summary>
/// <remarks>
/// Hard and symbolic links to files of the same archive are pictures like those, sparse files get their holes back, and
/// archives that were joined are read to the last. A name that is there twice is two pictures. What had to be left out
/// is told in <see cref="Warnings"/>. An archive that is damaged, cut, compressed or none is an
/// <see cref="InvalidDataException"/>.
/// </remarks>
public sealed class TarSource : IImageSource
{
    private readonly Shard[] _shards;

    public TarSource(params IReadOnlyList<string> archives)
    {
        ArgumentNullException.ThrowIfNull(archives);
        _shards = new Shard[archives.Count];
        string[] names = ShardNames.Of(archives);
        int opened = 0;
        try
        {
            for (int first = 0; opened < archives.Count; ++opened)
            {
                _shards[opened] = Open(archives[opened], names[opened], first);
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

    /// <summary>What is odd about the archives, in their order; each sentence names its archive.</summary>
    public IReadOnlyList<string> Warnings => [.. PassedOver, .. _shards.SelectMany(shard => shard.Warnings)];

    /// <summary>What the search for the shards left out, one sentence each.</summary>
    internal IReadOnlyList<string> PassedOver { get; init; } = [];

    public string Name(int index)
    {
        var (shard, entry) = Find(index);
        return _shards.Length == 1 ? entry.Name : shard.Name + ":" + entry.Name;
    }

    public string? Label(int index) => ImageNames.Label(Find(index).Entry.Name);

    public ReadOnlySpan<byte> ReadBytes(int index, ByteBuffer buffer)
    {
        var (shard, entry) = Find(index);
        return entry.Map is null
            ? ImageFile.ReadAt(shard.File, entry.Offset, entry.Size, buffer, shard.Path)
            : entry.Map.Read(shard.File, entry.Offset, buffer, shard.Path);
    }

    public void Dispose()
    {
        foreach (var shard in _shards)
        {
            shard.File.Dispose();
        }
    }

    private static Shard Open(string path, string name, int first)
    {
        string shown = PathBytes.Shown(path);
        if (Disk.KindOf(path) != EntryKind.File)
        {
            throw new FileNotFoundException($"The tar archive '{shown}' does not exist.", path);
        }
        var file = Disk.Open(path, FileOptions.RandomAccess);
        try
        {
            var contents = TarIndex.Read(file, shown);
            return new Shard(shown, name, file, first, contents.Pictures, contents.Warnings);
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

    // Path and name as they are shown.
    private sealed record Shard(
        string Path, string Name, SafeFileHandle File, int First, TarEntry[] Entries, string[] Warnings);
}
