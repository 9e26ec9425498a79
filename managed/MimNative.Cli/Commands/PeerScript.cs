using MimNative.Evaluation.Benchmarks;

namespace MimNative.Cli.Commands;

/// <summary>The script that a peer runs: tests/benchmarks/peers/peer.py of this repository, or another one.</summary>
internal static class PeerScript
{
    private static readonly string Known = Path.Combine("tests", "benchmarks", "peers", "peer.py");

    /// <summary>The process that measures the peer; <paramref name="command"/> may have arguments, separated by spaces.</summary>
    /// <exception cref="FileNotFoundException">There is no such script.</exception>
    public static MeasuringProcess Process(string command, string? script)
    {
        string[] words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return new MeasuringProcess("the peer", [.. words, Find(script), "--case"]);
    }

    // Here or in a folder above, where mim is run or where it lies.
    private static string Find(string? script)
    {
        if (script is not null)
        {
            return File.Exists(script) ? script : throw new FileNotFoundException($"there is no peer script '{script}'");
        }
        foreach (var start in new[] { Directory.GetCurrentDirectory(), AppContext.BaseDirectory })
        {
            for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
            {
                if (Path.Combine(folder.FullName, Known) is var path && File.Exists(path))
                {
                    return path;
                }
            }
        }
        throw new FileNotFoundException($"there is no {Known} here or in a folder above; --peer-script says where it is");
    }
}
