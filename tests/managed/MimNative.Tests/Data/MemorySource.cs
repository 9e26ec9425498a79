using MimNative.Data;

namespace MimNative.Tests.Data;

/// <summary>
/// Pictures in memory. A null one cannot be read, which is the file's own fault or not as the test says.
/// </summary>
internal sealed class MemorySource(IReadOnlyList<byte[]?> files, Func<Exception>? unreadable = null) : IImageSource
{
    private int _reads;

    public int Count => files.Count;

    /// <summary>How often a picture was asked for.</summary>
    public int Reads => Volatile.Read(ref _reads);

    public string Name(int index) => $"{index}.png";

    public ReadOnlySpan<byte> ReadBytes(int index, ByteBuffer buffer)
    {
        Interlocked.Increment(ref _reads);
        return files[index] ?? throw unreadable!();
    }

    public void Dispose()
    {
    }
}
