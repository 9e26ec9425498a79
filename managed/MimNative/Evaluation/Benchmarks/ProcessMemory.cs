using System.Diagnostics;
using System.Globalization;

namespace MimNative.Evaluation.Benchmarks;

/// <summary>Memory of this process as the system counts it.</summary>
internal static class ProcessMemory
{
    private const string Status = "/proc/self/status", PeakLine = "VmHWM:";

    /// <summary>The most that was ever resident, in bytes.</summary>
    public static long Peak()
    {
        if (!File.Exists(Status))
        {
            using var process = Process.GetCurrentProcess();
            return process.PeakWorkingSet64;
        }
        var line = File.ReadLines(Status).First(l => l.StartsWith(PeakLine, StringComparison.Ordinal));
        var kibibytes = line[PeakLine.Length..].Trim().Split(' ')[0];
        return 1024 * long.Parse(kibibytes, CultureInfo.InvariantCulture);
    }
}
