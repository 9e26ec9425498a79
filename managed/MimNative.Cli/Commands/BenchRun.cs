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
    public IReadOnlyList<OpCase> Ops { get; init; } = [];
    public IReadOnlyList<(string Name, Recipe Recipe)> Steps { get; init; } = [];
    public IReadOnlyList<(string Name, Recipe Recipe)> Scaled { get; init; } = [];
    public IReadOnlyList<Precision> Precisions { get; init; } = [];
    public Device Device { get; init; } = Device.Cpu;
    public int Threads { get; init; }
    public int Runs { get; init; }
    public double Seconds { get; init; }
    public string? Peer { get; init; }
    public string? PeerScript { get; init; }
    public string? Json { get; init; }
}

/// <summary>A run of <c>mim bench</c>: measures section by section, shows each as it is done, and writes the report.</summary>
internal sealed class BenchRun(Shell shell, BenchOptions options)
{
    private const int RoundsWithPeer = 5;
    private const double OpShare = 1.0 / 20;

    private static readonly string[] Variables =
        ["OMP_WAIT_POLICY", "OMP_NUM_THREADS", "OMP_PROC_BIND", "GOMP_SPINCOUNT", "GOMP_CPU_AFFINITY", "DNNL_MAX_CPU_ISA"];

    private readonly MeasuringProcess _self =
        MeasuringProcess.Self(Path.Combine(AppContext.BaseDirectory, "mim.dll"), "bench", "--measure");
    private readonly bool _silent = options.Json == "-";

    /// <summary>The work of one process: the task in, a line of JSON out.</summary>
    public static void MeasureOne(Shell shell, string json)
    {
        var task = JsonSerializer.Deserialize(json, BenchmarkJson.Default.BenchmarkTask) ?? throw new FormatException("--measure is null");
        if (task.Recipe is null)
        {
            shell.Output.WriteLine(JsonSerializer.Serialize(OpBenchmark.Measure(task), BenchmarkJson.Default.OpMeasurement));
            return;
        }
        using var benchmark = new StepBenchmark(task);
        shell.Output.WriteLine(JsonSerializer.Serialize(benchmark.Measure(), BenchmarkJson.Default.StepMeasurement));
    }

    public void Execute()
    {
        if (options.Json is { } file and not "-")
        {
            OutputFile.Prepare(file);
        }
        var peer = options.Peer is null ? null : PeerScript.Process(options.Peer, options.PeerScript);
        var report = Begin(out var hasBf16);
        if (options.Ops.Count > 0)
        {
            report = report with { Ops = Ops(peer, report, hasBf16) };
            Show(() => BenchTables.Ops(shell, report.Ops));
        }
        if (options.Steps.Count > 0)
        {
            report = report with { Steps = Steps(peer, report.Threads, hasBf16) };
            Show(() => BenchTables.Steps(shell, report.Steps, report.Ceiling));
        }
        if (options.Scaled.Count > 0)
        {
            report = report with { Scaling = Scaling(report.Threads, hasBf16) };
            Show(() => BenchTables.Scaling(shell, report.Scaling));
        }
        Write(report);
    }

    private BenchmarkReport Begin(out bool hasBf16)
    {
        using var context = new Context(options.Device, options.Threads);
        hasBf16 = context.HasBf16;
        var report = new BenchmarkReport
        {
            Machine = context.Description,
            Runtime = $"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription}",
            Started = DateTimeOffset.Now,
            Environment = Variables.Where(v => Environment.GetEnvironmentVariable(v) is not null)
                .ToDictionary(v => v, v => Environment.GetEnvironmentVariable(v)!),
            Device = $"{options.Device}",
            Threads = context.Threads,
            Ceiling = context.MeasureCeiling(),
        };
        Show(() => BenchTables.Machine(shell, report));
        return report;
    }

    // In bf16 alone one would not see what it gains.
    private OpComparison[] Ops(MeasuringProcess? peer, BenchmarkReport report, bool hasBf16)
    {
        Precision[] both = [Precision.F32, .. hasBf16 ? [Precision.Bf16] : (Precision[])[]];
        var found = new List<OpComparison>();
        foreach (var precision in options.Precisions.SelectMany(p => p == Precision.Auto ? both : [p]).Distinct())
        {
            var task = new BenchmarkTask
            {
                Name = "ops",
                Device = $"{options.Device}",
                Ops = options.Ops,
                Precision = precision,
                Threads = report.Threads,
                Seconds = options.Seconds * OpShare,
            };
            List<OpMeasurement> ours = [], others = [];
            for (var round = 1; round <= Rounds(peer); round++)
            {
                Progress($"ops in {precision}: round {round} of {Rounds(peer)}");
                ours.Add(_self.Measure(task, BenchmarkJson.Default.OpMeasurement));
                if (peer is not null)
                {
                    others.Add(peer.Measure(task, BenchmarkJson.Default.OpMeasurement, "--json"));
                }
            }
            found.AddRange(OpComparison.Of(task, report.Ceiling, ours, others));
        }
        return [.. found];
    }

    private StepComparison[] Steps(MeasuringProcess? peer, int threads, bool hasBf16)
    {
        var rounds = StepRounds(peer);
        return
        [
            .. from step in options.Steps
               from precision in Resolved(hasBf16)
               let task = Task(step.Name, step.Recipe, threads, precision)
               select WithReorders(rounds.Measure(task), task),
        ];
    }

    private StepComparison WithReorders(StepComparison measured, BenchmarkTask task) => options.Device.Kind == DeviceKind.Cpu
        ? measured with { ReorderShare = _self.ReorderShare(task with { Seconds = 0 }) }
        : measured;

    private StepComparison[] Scaling(int threads, bool hasBf16)
    {
        var rounds = StepRounds(peer: null);
        return
        [
            .. from scaled in options.Scaled
               from precision in Resolved(hasBf16)
               from count in Enumerable.Range(1, threads).Where(n => n == threads || int.IsPow2(n))
               select rounds.Measure(Task(scaled.Name, scaled.Recipe, count, precision)),
        ];
    }

    private StepRounds StepRounds(MeasuringProcess? peer)
    {
        Func<BenchmarkTask, StepMeasurement>? other =
            peer is null ? null : task => peer.Measure(task, BenchmarkJson.Default.StepMeasurement, "--json");
        return new StepRounds(task => _self.Measure(task, BenchmarkJson.Default.StepMeasurement), other, Rounds(peer), Progress);
    }

    private int Rounds(MeasuringProcess? peer) => options.Runs > 0 ? options.Runs : peer is null ? 1 : RoundsWithPeer;

    private IEnumerable<Precision> Resolved(bool hasBf16) =>
        options.Precisions.Select(p => p != Precision.Auto ? p : hasBf16 ? Precision.Bf16 : Precision.F32).Distinct();

    private BenchmarkTask Task(string name, Recipe recipe, int threads, Precision precision) =>
        new() { Name = name, Recipe = recipe, Device = $"{options.Device}", Threads = threads, Precision = precision, Seconds = options.Seconds };

    // Someone who waits sees what is measured; a log does not fill with it.
    private void Progress(string text)
    {
        if (shell.ShowsError)
        {
            shell.Error.Write($"\r\u001b[K{text}\r");
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
            shell.Output.Write(text);
        }
        else
        {
            OutputFile.Write(options.Json, Encoding.UTF8.GetBytes(text));
            shell.Output.WriteLine($"report     {options.Json}");
        }
    }
}
