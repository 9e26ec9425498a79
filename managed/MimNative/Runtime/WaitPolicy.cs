using System.Runtime.InteropServices;

namespace MimNative.Runtime;

/// <summary>
/// How the native library's idle threads wait. OpenMP lets them spin, which takes a core from whatever else runs, the loader of pictures
/// and the garbage collector included: beside one busy process a step took almost twice as long (docs/performance.md). So they spin for
/// some tens of microseconds, which bridges the gap between two ops, and then sleep, unless the user says otherwise. OpenMP reads its environment when it is loaded, hence before
/// libmim; in a process that has loaded it already nothing changes.
/// </summary>
internal static partial class WaitPolicy
{
    private const string Spins = "GOMP_SPINCOUNT";

    private static readonly string[] Chosen = ["OMP_WAIT_POLICY", Spins, "KMP_BLOCKTIME"];

    /// <summary>Has waiting threads sleep soon, unless the environment has chosen.</summary>
    public static void SleepByDefault()
    {
        // .NET keeps a copy of the environment: only the C library's own is seen by OpenMP.
        if (!OperatingSystem.IsWindows() && Array.TrueForAll(Chosen, name => Environment.GetEnvironmentVariable(name) is null))
        {
            SetVariable(Spins, "10000", overwrite: 0);
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrite);
}
