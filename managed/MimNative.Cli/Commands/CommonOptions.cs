using System.CommandLine;
using MimNative.Runtime;

namespace MimNative.Cli.Commands;

/// <summary>Options that several commands have.</summary>
internal static class CommonOptions
{
    public static Option<string> Device() => new("--device")
    {
        Description = "where to compute: cpu, cuda or cuda:N",
        DefaultValueFactory = _ => "cpu",
    };

    public static Option<int> Threads() => new("--threads")
    {
        Description = "CPU threads of an operation; 0 for one per processor",
        DefaultValueFactory = _ => 0,
    };

    public static Option<bool> Json() => new("--json") { Description = "print JSON, for programs" };

    /// <summary>The context that --device and --threads ask for.</summary>
    public static Context Open(ParseResult parsed, Option<string> device, Option<int> threads)
    {
        var count = parsed.GetValue(threads);
        return count is >= 0 and <= 4096
            ? new Context(Runtime.Device.Parse(parsed.GetValue(device)!), count)
            : throw new ArgumentException($"--threads is {count}, expected 0 to 4096");
    }
}
