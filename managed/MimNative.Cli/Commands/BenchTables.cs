using System.Globalization;
using MimNative.Cli.Terminal;
using MimNative.Evaluation.Benchmarks;
using MimNative.Runtime;
using Spectre.Console;

namespace MimNative.Cli.Commands;

/// <summary>What <c>mim bench</c> found, for people.</summary>
internal static class BenchTables
{
    private const double Giga = 1e9;

    public static void Machine(Shell shell, BenchmarkReport report)
    {
        var ceiling = report.Ceiling;
        shell.Output.WriteLine($"machine    {report.Machine}");
        shell.Output.WriteLine($"runtime    {report.Runtime}");
        foreach (var (name, value) in report.Environment)
        {
            shell.Output.WriteLine($"           {name}={value}");
        }
        var bf16 = ceiling.Bf16Gflops > 0 ? Text($"bf16 {ceiling.Bf16Gflops:0} GFLOP/s") : "no bf16 instructions";
        var of = report.Device == "cpu" ? Text($"{report.Threads} threads: ") : "";
        shell.Output.WriteLine(Text(
            $"ceiling    {of}f32 {ceiling.F32Gflops:0} GFLOP/s, {bf16}, ") + Text(
            $"memory {ceiling.ReadGbytes:0.0} GB/s read, {ceiling.UpdateGbytes:0.0} in place, {ceiling.TriadGbytes:0.0} triad"));
    }

    public static void Ops(Shell shell, IReadOnlyList<OpComparison> ops)
    {
        var peers = ops.Any(o => o.PeerTime is not null);
        var table = Tables.New(
            ["op", "precision", "ms", "p25-p75", "rate", "of ceiling", .. peers ? ["peer ms", "faster", "min-max"] : (string[])[]]);
        foreach (var op in ops)
        {
            table.AddRow([.. Row(op).Select(Markup.Escape)]);
        }
        Tables.Print(shell, table);
    }

    private static IEnumerable<string> Row(OpComparison op)
    {
        yield return op.Name;
        yield return op.Precision;
        yield return Small(op.Time.Median);
        yield return $"{Small(op.Time.Lower)}-{Small(op.Time.Upper)}";
        yield return $"{Number((op.Operations + op.Bytes) / op.Time.Median / 1e6)} {(op.Operations > 0 ? "GFLOP/s" : "GB/s")}";
        yield return Percent(op.Share);
        if (op is { PeerTime: { } peer, TimeRatio: { } faster })
        {
            yield return Small(peer.Median);
            yield return Ratio(faster.Median);
            yield return Text($"{faster.Least:0.00}-{faster.Most:0.00}");
        }
    }

    public static void Steps(Shell shell, IReadOnlyList<StepComparison> steps, Ceiling ceiling)
    {
        var peers = steps.Any(s => s.Peer.Count > 0);
        var idle = steps.Any(s => s.Ours[0].IdleShare is not null);
        var table = Tables.New(
        [
            "step", "batch", "precision", "threads", "ms", "p25-p75", "images/s", "GFLOP/s", "of ceiling", "peak", "planned", "managed/step",
            "outside native", idle ? "idle" : "reorders", .. peers ? ["peer ms", "faster", "min-max", "memory", "min-max"] : (string[])[],
        ]);
        foreach (var step in steps)
        {
            table.AddRow([.. Row(step, ceiling).Select(Markup.Escape)]);
        }
        Tables.Print(shell, table);
        if (steps.FirstOrDefault(s => s.Peer.Count > 0) is { } compared)
        {
            shell.Output.WriteLine(
                $"peer       {compared.Peer[0].Description}; faster = its time / ours, memory = our peak / its, medians over " +
                $"{compared.Peer.Count} rounds");
        }
    }

    public static void Scaling(Shell shell, IReadOnlyList<StepComparison> steps)
    {
        var table = Tables.New("step", "batch", "threads", "ms", "p25-p75", "images/s", "faster than 1 thread", "per thread");
        foreach (var step in steps)
        {
            var alone = steps.First(s => s.Name == step.Name).Time.Median / step.Time.Median;
            var threads = step.Ours[0].Threads;
            string[] row =
            [
                step.Name, $"{step.Batch}", $"{threads}", Number(step.Time.Median), Range(step.Time.Lower, step.Time.Upper),
                Number(1000 * step.Batch / step.Time.Median), Ratio(alone), Percent(alone / threads),
            ];
            table.AddRow([.. row.Select(Markup.Escape)]);
        }
        Tables.Print(shell, table);
    }

    private static IEnumerable<string> Row(StepComparison step, Ceiling ceiling)
    {
        var (ours, time) = (step.Ours[0], step.Time);
        var rate = step.Operations / (time.Median / 1000) / Giga;
        var roof = ours.Precision == "bf16" && ceiling.Bf16Gflops > 0 ? ceiling.Bf16Gflops : ceiling.F32Gflops;
        yield return step.Name;
        yield return $"{step.Batch}";
        yield return ours.Precision;
        yield return $"{ours.Threads}";
        yield return Number(time.Median);
        yield return Range(time.Lower, time.Upper);
        yield return Number(1000 * step.Batch / time.Median);
        yield return Number(rate);
        yield return Percent(rate / roof);
        yield return Numbers.Bytes((long)Spread.Of(step.Ours.Select(o => (double)o.PeakBytes)).Median);
        yield return Numbers.Bytes(ours.PlannedBytes);
        yield return Numbers.Bytes((long)Spread.Of(step.Ours.Select(o => o.AllocatedBytes)).Median);
        yield return Text($"{100 * Spread.Of(step.Ours.Select(o => o.OutsideNative)).Median:0.00} %");
        yield return (ours.IdleShare is null ? step.ReorderShare : Spread.Of(step.Ours.Select(o => o.IdleShare ?? 0)).Median) is { } share
            ? Text($"{100 * share:0.00} %")
            : "";
        if (step is { PeerTime: { } peer, TimeRatio: { } faster, MemoryRatio: { } memory })
        {
            yield return Number(peer.Median);
            yield return Ratio(faster.Median);
            yield return Text($"{faster.Least:0.00}-{faster.Most:0.00}");
            yield return Ratio(memory.Median);
            yield return Text($"{memory.Least:0.00}-{memory.Most:0.00}");
        }
    }

    private static string Number(double value) => value.ToString(value < 10 ? "0.00" : value < 100 ? "0.0" : "0", CultureInfo.InvariantCulture);

    private static string Small(double milliseconds) =>
        milliseconds < 1 ? milliseconds.ToString("0.000", CultureInfo.InvariantCulture) : Number(milliseconds);

    private static string Range(double low, double high) => $"{Number(low)}-{Number(high)}";

    private static string Ratio(double value) => Text($"{value:0.00}x");

    private static string Percent(double value) => Text($"{100 * value:0} %");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
