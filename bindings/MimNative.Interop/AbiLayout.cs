using System.Buffers.Binary;

namespace MimNative.Interop;

/// <summary>Size and field offsets of one struct, in bytes.</summary>
internal sealed record AbiStruct(string Name, long Size, string[] Fields, long[] Offsets);

/// <summary>The struct layouts of this side of the ABI; the table itself is generated.</summary>
internal static unsafe partial class AbiLayout
{
    /// <summary>What mim_abi_layout_hash must give: FNV-1a over each struct's size and offsets as little-endian int64.</summary>
    public static ulong Hash()
    {
        var hash = 0xcbf29ce484222325;
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        foreach (var layout in Structs())
            foreach (var value in (ReadOnlySpan<long>)[layout.Size, .. layout.Offsets])
            {
                BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
                foreach (var part in bytes)
                    hash = (hash ^ part) * 0x100000001b3;
            }
        return hash;
    }
}
