using System.Runtime.InteropServices;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests;

/// <summary>
/// A CUDA device: the kernels' own sources, run by the emulator that the native tests build. It is the device <c>cuda</c> of this
/// process and of those that it starts.
/// </summary>
[SetUpFixture]
public sealed partial class EmulatedDevice
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
    public static Context Open() => new(new Device(DeviceKind.Cuda), threads: 1);

    // Before all tests: the environment of a process must not change while its threads read it.
    [OneTimeSetUp]
    public void Put_in_the_place_of_a_real_one()
    {
        if (OperatingSystem.IsLinux())
        {
            Environment.SetEnvironmentVariable(Variable, Library);  // for child processes
            Assert.That(SetEnvironment(Variable, Library, overwrite: 1), Is.Zero);  // for native code here, which does not see the other
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
