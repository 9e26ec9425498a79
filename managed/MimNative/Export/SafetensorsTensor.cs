using System.Runtime.InteropServices;

namespace MimNative.Export;

/// <summary>
/// Fills destination with a tensor's stored bytes from <paramref name="offset"/> on. It is called with rising
/// offsets until every byte was asked for once, so a tensor need never be in memory as a whole.
/// </summary>
public delegate void TensorBytes(long offset, Span<byte> destination);

/// <summary>One tensor to be written to a safetensors file.</summary>
public sealed class SafetensorsTensor
{
    /// <summary>A tensor whose bytes come from a callback.</summary>
    public SafetensorsTensor(
        string name, SafetensorsType type, IReadOnlyList<long> shape, TensorBytes bytes)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(bytes);
        if (name == "__metadata__")
        {
            throw new ArgumentException("name: '__metadata__' is reserved by the format.", nameof(name));
        }
        long size = type.Size();
        foreach (long extent in shape)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(extent, nameof(shape));
            size = checked(size * extent);
        }
        (Name, Type, Shape, ByteCount, Bytes) = (name, type, [.. shape], size, bytes);
    }

    /// <summary>The tensor's name.</summary>
    public string Name { get; }

    /// <summary>The type its bytes are in.</summary>
    public SafetensorsType Type { get; }

    /// <summary>Its sizes, the slowest varying first.</summary>
    public IReadOnlyList<long> Shape { get; }

    internal long ByteCount { get; }

    internal TensorBytes Bytes { get; }

    /// <summary>An F32 tensor from memory.</summary>
    public static SafetensorsTensor Of(string name, ReadOnlyMemory<float> data, params long[] shape) =>
        Of(name, SafetensorsType.F32, data, shape);

    /// <summary>An I32 tensor from memory.</summary>
    public static SafetensorsTensor Of(string name, ReadOnlyMemory<int> data, params long[] shape) =>
        Of(name, SafetensorsType.I32, data, shape);

    /// <summary>A U8 tensor from memory.</summary>
    public static SafetensorsTensor Of(string name, ReadOnlyMemory<byte> data, params long[] shape) =>
        Of(name, SafetensorsType.U8, data, shape);

    private static SafetensorsTensor Of<T>(
        string name, SafetensorsType type, ReadOnlyMemory<T> data, long[] shape) where T : unmanaged
    {
        var tensor = new SafetensorsTensor(name, type, shape, (offset, destination) =>
            MemoryMarshal.AsBytes(data.Span).Slice((int)offset, destination.Length).CopyTo(destination));
        long given = (long)data.Length * type.Size();
        return tensor.ByteCount == given
            ? tensor
            : throw new ArgumentException($"data: tensor '{name}' of shape [{string.Join(", ", shape)}] needs "
                + $"{tensor.ByteCount / type.Size()} elements, but {data.Length} came.", nameof(data));
    }
}
