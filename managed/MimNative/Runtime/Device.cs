using System.Globalization;
using MimNative.Interop;

namespace MimNative.Runtime;

/// <summary>Where numbers are computed: the CPU, or one of the CUDA devices.</summary>
/// <param name="Kind">The kind of device.</param>
/// <param name="Index">Which of them; 0 on the CPU.</param>
public readonly record struct Device(DeviceKind Kind, int Index = 0)
{
    /// <summary>The processor of this machine.</summary>
    public static Device Cpu => new(DeviceKind.Cpu);

    /// <summary>Reads <c>cpu</c>, <c>cuda</c> or <c>cuda:1</c>.</summary>
    /// <exception cref="FormatException">Thrown for anything else, with a sentence for people.</exception>
    public static Device Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = text.Split(':');
        var index = 0;
        var known = parts[0] is "cpu" or "cuda";
        var counted = parts.Length == 1 ||
            (parts.Length == 2 && parts[0] == "cuda" &&
             int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out index));
        if (!known || !counted)
        {
            throw new FormatException($"device is '{text}', expected cpu, cuda or cuda:N");
        }
        return new Device(parts[0] == "cpu" ? DeviceKind.Cpu : DeviceKind.Cuda, index);
    }

    /// <inheritdoc/>
    public override string ToString() => Kind == DeviceKind.Cpu ? "cpu" : $"cuda:{Index}";
}

/// <summary>Kinds of device; the values are the ABI's.</summary>
public enum DeviceKind
{
    /// <summary>The processor.</summary>
    Cpu = (int)mim_device.MIM_CPU,

    /// <summary>An NVIDIA GPU.</summary>
    Cuda = (int)mim_device.MIM_CUDA,
}

/// <summary>Element types of tensors; the values are the ABI's.</summary>
public enum DType
{
    /// <summary>32-bit float.</summary>
    F32 = (int)mim_dtype.MIM_F32,

    /// <summary>bfloat16: the upper half of a 32-bit float.</summary>
    BF16 = (int)mim_dtype.MIM_BF16,

    /// <summary>32-bit integer: token indices.</summary>
    I32 = (int)mim_dtype.MIM_I32,

    /// <summary>64-bit integer: sample numbers.</summary>
    I64 = (int)mim_dtype.MIM_I64,

    /// <summary>Byte: pixels.</summary>
    U8 = (int)mim_dtype.MIM_U8,
}

/// <summary>Facts about element types.</summary>
public static class DTypes
{
    /// <summary>Bytes of one element.</summary>
    public static int Bytes(this DType type) => type switch
    {
        DType.F32 or DType.I32 => 4,
        DType.BF16 => 2,
        DType.I64 => 8,
        DType.U8 => 1,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "no such element type"),
    };

    internal static DType Of<T>() where T : unmanaged =>
        typeof(T) == typeof(float) ? DType.F32
        : typeof(T) == typeof(int) ? DType.I32
        : typeof(T) == typeof(long) ? DType.I64
        : typeof(T) == typeof(byte) ? DType.U8
        : throw new ArgumentException($"{typeof(T)} is not a tensor's element type");
}
