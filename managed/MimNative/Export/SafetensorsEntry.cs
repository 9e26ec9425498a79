namespace MimNative.Export;

/// <summary>One tensor of a safetensors file: everything but its numbers.</summary>
public sealed class SafetensorsEntry
{
    internal SafetensorsEntry(string name, SafetensorsType type, long[] shape, long offset, long bytes)
    {
        Name = name;
        Type = type;
        Shape = shape;
        Offset = offset;
        Bytes = bytes;
    }

    /// <summary>The tensor's name.</summary>
    public string Name { get; }

    /// <summary>The type its elements are stored in.</summary>
    public SafetensorsType Type { get; }

    /// <summary>Its sizes, the slowest varying first; empty for a scalar.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>Where its first byte lies, counted from the start of the file.</summary>
    public long Offset { get; }

    /// <summary>Its size in bytes.</summary>
    public long Bytes { get; }

    /// <summary>Its number of elements.</summary>
    public long Count => Bytes / Type.Size();

    /// <summary>For example "blocks.0.norm1.weight F32 [768]".</summary>
    public override string ToString() => $"{Name} {Type.Name()} [{string.Join(", ", Shape)}]";
}
