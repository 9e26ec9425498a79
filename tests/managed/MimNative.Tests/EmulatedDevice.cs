using System.Runtime.InteropServices;
using MimNative.Runtime;

namespace MimNative.Tests;

/// <summary>A CUDA device: the kernels' own sources, run by the emulator that the native tests build.</summary>
internal static class EmulatedDevice
{
    /// <summary>Names the library of the CUDA backend.</summary>
    public const string Variable = "MIM_CUDA_LIBRARY";

    /// <summary>The emulator's.</summary>
    public static string Library
    {
        get
        {
            string native = Environment.GetEnvironmentVariable("MIM_LIBRARY") is { Length: > 0 } library
                ? Path.GetDirectoryName(Path.GetFullPath(library))!
                : Path.Combine(Golden.Repository, "build", "release", "native");
            return Path.GetFullPath(Path.Combine(native, "..", "tests", "native", "simt", "libmim_cuda_emulated.so"));
        }
    }

    /// <summary>A context on it in this process.</summary>
    public static Context Open()
    {
        // not Environment's, which native code does not see
        _ = SetEnvironment(Variable, Library, overwrite: 1);
        return new Context(new Device(DeviceKind.Cuda), threads: 2);
    }

    [DllImport("libc", EntryPoint = "setenv")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetEnvironment(
        [MarshalAs(UnmanagedType.LPUTF8Str)] string name, [MarshalAs(UnmanagedType.LPUTF8Str)] string value, int overwrite);
}
