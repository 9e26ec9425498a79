using System.Diagnostics;
using System.Runtime.InteropServices;
using MimNative.Cli;
using NUnit.Framework;

namespace MimNative.Tests.Cli;

/// <summary>
/// The built command mim as a child process, as a user's shell would start it: for what only a process has, as signals, its
/// environment and its exit code. <see cref="CommandLine"/> is many times faster.
/// </summary>
internal sealed partial class CommandProcess : IDisposable
{
    public const int Interrupt = 2, KillAtOnce = 9, Terminate = 15;

    // Far beyond what any of them takes: a command that hangs is a failure, not a wait.
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);

    private readonly Process _process;
    private readonly Task<string> _errors;
    private readonly List<string> _lines = [];

    private CommandProcess(IEnumerable<string> arguments, params ReadOnlySpan<(string Name, string? Value)> variables)
    {
        var start = new ProcessStartInfo { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["MIM_TRACE"] = "";
        foreach (var (name, value) in variables)
        {
            start.Environment[name] = value;
        }
        if (OperatingSystem.IsWindows())
        {
            start.FileName = "dotnet";
        }
        else
        {
            // A shell that runs the tests in the background has them, and what they start, ignore SIGINT.
            start.FileName = "env";
            start.ArgumentList.Add("--default-signal=INT");
            start.ArgumentList.Add("dotnet");
        }
        start.ArgumentList.Add(typeof(ExitCode).Assembly.Location);
        arguments.ToList().ForEach(start.ArgumentList.Add);
        _process = Process.Start(start)!;
        _errors = _process.StandardError.ReadToEndAsync();
    }

    /// <summary>Begins a command.</summary>
    public static CommandProcess Start(params IEnumerable<string> arguments) => new(arguments);

    /// <summary>Runs a command to its end.</summary>
    public static Finished Run(params IEnumerable<string> arguments)
    {
        using var command = Start(arguments);
        return command.Finish();
    }

    /// <summary>Runs a command to its end with environment variables, or without those whose value is null.</summary>
    public static Finished RunIn((string Name, string? Value)[] environment, params IEnumerable<string> arguments)
    {
        using var command = new CommandProcess(arguments, environment);
        return command.Finish();
    }

    /// <summary>Runs a command to its end with an environment variable.</summary>
    public static Finished RunWith(string variable, string value, params IEnumerable<string> arguments)
    {
        using var command = new CommandProcess(arguments, (variable, value));
        return command.Finish();
    }

    /// <summary>Reads lines of the output up to one that contains a text.</summary>
    public void WaitFor(string text)
    {
        while (_process.StandardOutput.ReadLine() is { } line)
        {
            _lines.Add(line);
            if (line.Contains(text, StringComparison.Ordinal))
            {
                return;
            }
        }
        Assert.Fail($"the command ended without '{text}': {Finish()}");
    }

    /// <summary>Sends a signal.</summary>
    public void Signal(int signal) => Assert.That(Kill(_process.Id, signal), Is.Zero, "kill failed");

    /// <summary>Whether the command still runs after a while.</summary>
    public bool RunsAfter(TimeSpan time) => !_process.WaitForExit(time);

    /// <summary>Waits for the end.</summary>
    public Finished Finish()
    {
        using var hanging = new Timer(_ => _process.Kill(), null, Limit, Timeout.InfiniteTimeSpan);
        while (_process.StandardOutput.ReadLine() is { } line)
        {
            _lines.Add(line);
        }
        _process.WaitForExit();
        return new Finished(_process.ExitCode, string.Join('\n', _lines), _errors.Result);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }
        _process.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
