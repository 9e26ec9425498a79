using MimNative.Cli;
using MimNative.Cli.Terminal;

namespace MimNative.Tests.Cli;

/// <summary>The command mim, carried out in this process: the same code as <see cref="CommandProcess"/> without its start.</summary>
internal static class CommandLine
{
    // Far beyond what any of them takes: training that does not end is a failure, not a wait.
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);

    /// <summary>Runs a command to its end.</summary>
    public static Finished Run(params IEnumerable<string> arguments)
    {
        using var limit = new CancellationTokenSource(Limit);
        using StringWriter output = new() { NewLine = "\n" }, error = new() { NewLine = "\n" };
        var shell = new Shell(TextWriter.Synchronized(output), TextWriter.Synchronized(error), limit.Token);
        int code = Program.Run(shell, [.. arguments]);
        string text = output.ToString();
        return new Finished(code, text.EndsWith('\n') ? text[..^1] : text, error.ToString());
    }
}
