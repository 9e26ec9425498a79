using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using MimNative.Cli.Terminal;
using MimNative.Evaluation.Benchmarks;
using MimNative.Recipes;
using MimNative.Runtime;

namespace MimNative.Cli.Commands;

/// <summary>What a command line asks of <c>mim bench</c>.</summary>
internal sealed record BenchOptions
{
    public required IReadOnlyList<(string Name, Recipe Recipe)> Cases { get; init; }
    public required IReadOnlyList<(string Name, Recipe Recipe)> Scaled { get; init; }
    public bool WithSteps { get; init; }
    public bool WithScaling { get; init; }
    public int Threads { get; init; }
    public int Runs { get; init; }
    public double Seconds { get; init; }
    public string? Peer { get; init; }
    public string? PeerScript { get; init; }
    public string? Json { get; init; }
}

/// <summary>A run of <c>mim bench</c>: measures section by section, shows each as it is done, and writes the report.</summary>
internal sealed class BenchRun(BenchOptions options)
{
    private const int RoundsWithPeer = 5;

    private static readonly string[] Variables =
        ["OMP_WAIT_POLICY", "OMP_NUM_THREADS", "OMP_PROC_BIND", "GOMP_SPINCOUNT", "GOMP_CPU_AFFINITY", "DNNL_MAX_CPU_ISA"];

    private readonly bool _silent = options.Json == "-";

    /// <summary>The work of one process: the task in, a line of JSON out.</summary>
    public static void MeasureOne(string task)
    {
        using var benchmark = new StepBenchmark(
            JsonSerializer.Deserialize(task, BenchmarkJson.Default.BenchmarkTask) ?? throw new FormatException("--measure is null"));
        Console.WriteLine(JsonSerializer.Serialize(benchmark.Measure(), BenchmarkJson.Default.StepMeasurement));
    }

    public void Execute()
    {
        if (options.Json is { } file and not "-")
        {
            OutputFile.Prepare(file);
        }
        var peer = options.Peer is null ? null : PeerScript.Process(options.Peer, options.PeerScript);
        var report = Begin();
        if (options.WithSteps)
        {
            report = report with { Steps = Steps(peer, report.Threads) };
            Show(() => BenchTables.Steps(report.Steps, report.Ceiling));
        }
        if (options.WithScaling)
        {
            report = report with { Scaling = Scaling(report.Threads) };
            Show(() => BenchTables.Scaling(report.Scaling));
        }
        report = report with { Peer = report.Steps.FirstOrDefault(s => s.Peer.Count > 0)?.Peer[0].Description };
        Write(report);
    }

    private BenchmarkReport Begin()
    {
        using var context = new Context(Device.Cpu, options.Threads);
        var report = new BenchmarkReport
        {
            Machine = context.Description,
            Runtime = $"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription}",
            Started = DateTimeOffset.Now,
            Environment = Variables.Where(v => Environment.GetEnvironmentVariable(v) is not null)
                .ToDictionary(v => v, v => Environment.GetEnvironmentVariable(v)!),
            Threads = context.Threads,
            Ceiling = context.MeasureCeiling(),
        };
        Show(() => BenchTables.Machine(report));
        return report;
    }

    private StepComparison[] Steps(MeasuringProcess? peer, int threads)
    {
        var rounds = Rounds(peer);
        return [.. options.Cases.Select(c => rounds.Measure(Task(c.Name, c.Recipe, threads)))];
    }

    private StepComparison[] Scaling(int threads)
    {
        var rounds = Rounds(peer: null);
        return
        [
            .. from scaled in options.Scaled
               from count in Enumerable.Range(1, threads).Where(n => n == threads || int.IsPow2(n))
               select rounds.Measure(Task(scaled.Name, scaled.Recipe, count)),
        ];
    }

    private StepRounds Rounds(MeasuringProcess? peer)
    {
        var self = MeasuringProcess.Self("bench", "--measure");
        Func<BenchmarkTask, StepMeasurement>? other =
            peer is null ? null : task => peer.Measure(task, BenchmarkJson.Default.StepMeasurement, "--json");
        return new StepRounds(
            task => self.Measure(task, BenchmarkJson.Default.StepMeasurement), other,
            options.Runs > 0 ? options.Runs : peer is null ? 1 : RoundsWithPeer, Progress);
    }

    private BenchmarkTask Task(string name, Recipe recipe, int threads) =>
        new() { Name = name, Recipe = recipe, Threads = threads, Seconds = options.Seconds };

    // Someone who waits sees what is measured; a log does not fill with it.
    private static void Progress(string text)
    {
        if (!Console.IsErrorRedirected)
        {
            Console.Error.Write($"\r\u001b[K{text}\r");
        }
    }

    private void Show(Action print)
    {
        if (!_silent)
        {
            print();
        }
    }

    private void Write(BenchmarkReport report)
    {
        if (options.Json is null)
        {
            return;
        }
        var text = JsonSerializer.Serialize(report, BenchmarkJson.Indented.BenchmarkReport) + "\n";
        if (_silent)
        {
            Console.Write(text);
        }
        else
        {
            OutputFile.Write(options.Json, Encoding.UTF8.GetBytes(text));
            Console.WriteLine($"report     {options.Json}");
        }
    }
}
