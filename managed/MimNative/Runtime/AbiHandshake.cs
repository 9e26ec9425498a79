using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using MimNative.Interop;

namespace MimNative.Runtime;

/// <summary>
/// Compares a freshly loaded library with the bindings, before any other call: the ABI's version, then the hash over all
/// struct layouts. A wrong layout would corrupt memory long before anything failed.
/// </summary>
internal static unsafe class AbiHandshake
{
    /// <summary>Gives a struct's size and offsets as the library has them; null for a struct it does not know.</summary>
    internal delegate long[]? LayoutOf(string name);

    /// <summary>A sentence about what differs; null where the library fits.</summary>
    public static string? Difference(nint library)
    {
        if (!NativeLibrary.TryGetExport(library, nameof(Mim.mim_abi_version), out var version)
            || !NativeLibrary.TryGetExport(library, nameof(Mim.mim_abi_layout_hash), out var hash)
            || !NativeLibrary.TryGetExport(library, nameof(Mim.mim_abi_struct_layout), out var layout))
            return $"it is no libmim: it does not export {nameof(Mim.mim_abi_version)} and its companions";
        return Difference(((delegate* unmanaged<int>)version)(), ((delegate* unmanaged<ulong>)hash)(),
            name => NativeLayout(layout, name));
    }

    internal static string? Difference(int version, ulong hash, LayoutOf layoutOf)
    {
        if (version != Mim.MIM_ABI_VERSION)
            return $"its ABI has version {version}, these bindings are for version {Mim.MIM_ABI_VERSION}";
        var expected = AbiLayout.Hash();
        if (hash == expected)
            return null;
        var difference = AbiLayout.Structs()
            .Select(own => StructDifference(own, layoutOf(own.Name))).FirstOrDefault(text => text is not null);
        return string.Create(CultureInfo.InvariantCulture,
            $"its struct layouts have the hash {hash:x16}, these bindings {expected:x16}: ")
            + (difference ?? "it has a struct that the bindings do not know, or another order of structs");
    }

    private static string? StructDifference(AbiStruct own, long[]? native)
    {
        if (native is null)
            return $"it does not know {own.Name}";
        if (native.Length != own.Offsets.Length + 1)
            return $"{own.Name} has {native.Length - 1} fields there and {own.Offsets.Length} here";
        if (native[0] != own.Size)
            return $"{own.Name} has {native[0]} bytes there and {own.Size} here";
        for (var i = 0; i < own.Offsets.Length; i++)
            if (native[i + 1] != own.Offsets[i])
                return $"{own.Name}.{own.Fields[i]} is at byte {native[i + 1]} there and {own.Offsets[i]} here";
        return null;
    }

    private static long[]? NativeLayout(nint function, string name)
    {
        var layout = (delegate* unmanaged<byte*, long*, int, int>)function;
        fixed (byte* text = Encoding.UTF8.GetBytes(name + '\0'))
        {
            var values = new long[layout(text, null, 0)];
            fixed (long* start = values)
                layout(text, start, values.Length);
            return values.Length == 0 ? null : values;
        }
    }
}
