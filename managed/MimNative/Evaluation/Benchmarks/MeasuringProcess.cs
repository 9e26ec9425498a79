using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace MimNative.Evaluation.Benchmarks;

/// <summary>
/// A command that measures one task and prints what it found as one line of JSON, the last of its output: this program again, or a peer.
/// A process of its own has its own peak memory and its own threads.
/// </summary>
/// <param name="who">Names it in errors: <c>mim</c>, <c>the peer</c>.</param>
/// <param name="command">The command and its first arguments.</param>
public sealed class MeasuringProcess(string who, IReadOnlyList<string> command)
{
    private const int LongestComplaint = 300;

    /// <summary>This program again, with arguments in front of the task.</summary>
    /// <param name="assembly">The file of this program's assembly, for <c>dotnet</c> where that is what runs it.</param>
    /// <param name="arguments">What it is given first.</param>
    public static MeasuringProcess Self(string assembly, params IEnumerable<string> arguments)
    {
        var program = Environment.ProcessPath ?? throw new InvalidOperationException("this process does not know its own path");
        var isHost = Path.GetFileNameWithoutExtension(program) == "dotnet";
        return new MeasuringProcess("mim", [program, .. isHost ? [assembly] : (string[])[], .. arguments]);
    }

    /// <summary>Runs it and reads its answer.</summary>
    /// <exception cref="IOException">It cannot be started, fails, or prints something else; one sentence says which.</exception>
    public T Measure<T>(BenchmarkTask task, JsonTypeInfo<T> answer, params IEnumerable<string> after)
    {
        var output = Run(task, after);
        try
        {
            return JsonSerializer.Deserialize(LastLine(output), answer) ?? throw new JsonException("it is null");
        }
        catch (JsonException e)
        {
            throw new IOException(
                $"{who} should print one line of JSON for case '{task.Name}', but its last line is '{Shortened(LastLine(output))}'", e);
        }
    }

    /// <summary>
    /// Runs it once more with oneDNN telling of everything it does, and reads which share of oneDNN's time went into reorders: numbers
    /// brought into another order, and not multiplied.
    /// </summary>
    /// <exception cref="IOException">As of <see cref="Measure"/>, or oneDNN told nothing.</exception>
    public double ReorderShare(BenchmarkTask task)
    {
        // onednn_verbose,exec,cpu,matmul,brg:avx512_core,...,0.0123 (milliseconds)
        var calls = Run(task, [], [("DNNL_VERBOSE", "1")]).Split('\n').Select(line => line.Trim().Split(','))
            .Where(part => part is [_, "exec", _, ..]).ToList();
        double Time(IEnumerable<string[]> of) => of.Sum(part => double.Parse(part[^1], CultureInfo.InvariantCulture));
        var all = Time(calls);
        return all > 0
            ? Time(calls.Where(part => part[3] == "reorder")) / all
            : throw new IOException($"{who} ran case '{task.Name}' without a word of oneDNN, whose reorders were to be counted");
    }

    private string Run(BenchmarkTask task, IEnumerable<string> after, params IEnumerable<(string Name, string Value)> environment)
    {
        ArgumentNullException.ThrowIfNull(task);
        var start = new ProcessStartInfo(command[0]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in command.Skip(1).Append(JsonSerializer.Serialize(task, BenchmarkJson.Default.BenchmarkTask)).Concat(after))
        {
            start.ArgumentList.Add(argument);
        }
        // both have as many threads as the task says, whatever they are made of
        start.Environment["OMP_NUM_THREADS"] = start.Environment["PEER_THREADS"] = $"{task.Threads}";
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }
        using var process = Started(start);
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new IOException($"{who} failed with exit code {process.ExitCode} on case '{task.Name}': {LastLine(errors.Result)}");
        }
        return output;
    }

    private Process Started(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new IOException($"{who} cannot be started: '{command[0]}': {e.Message}", e);
        }
    }

    private static string LastLine(string text)
    {
        var line = text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault("nothing was said");
        return line.StartsWith("mim: ", StringComparison.Ordinal) ? line["mim: ".Length..] : line;
    }

    private static string Shortened(string text) => text.Length <= LongestComplaint ? text : text[..LongestComplaint] + "...";
}
