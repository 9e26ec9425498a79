namespace MimNative.Data;

/// <summary>
/// A fixed, ordered collection of encoded pictures. The order is part of the contract: the same data gives the same
/// numbering on every machine. All members are safe from any thread.
/// </summary>
public interface IImageSource : IDisposable
{
    /// <summary>How many pictures there are.</summary>
    int Count { get; }

    /// <summary>What the source left out while it was listed, one sentence each; empty where nothing was.</summary>
    IReadOnlyList<string> Warnings => [];

    /// <summary>The picture's path inside the source, with forward slashes.</summary>
    string Name(int index);

    /// <summary>The class of the picture where its name has a folder: the first one. Otherwise null.</summary>
    string? Label(int index) => ImageNames.Label(Name(index));

    /// <summary>
    /// The encoded bytes of a picture. They lie in <paramref name="buffer"/> or in the source's own memory, and are
    /// good until the buffer is used again.
    /// </summary>
    ReadOnlySpan<byte> ReadBytes(int index, ByteBuffer buffer);
}

/// <summary>Memory that a thread reads one file after another into; it grows to the largest and stays.</summary>
public sealed class ByteBuffer
{
    private byte[] _bytes = [];

    /// <summary>Room for <paramref name="count"/> bytes, with whatever was there before.</summary>
    public Span<byte> Take(int count)
    {
        if (_bytes.Length < count)
        {
            long doubled = Math.Min(2L * _bytes.Length, Array.MaxLength);
            _bytes = GC.AllocateUninitializedArray<byte>((int)Math.Max(count, doubled));
        }
        return _bytes.AsSpan(0, count);
    }
}
