using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.Json;
using MimNative.Cli.Terminal;
using MimNative.Evaluation.Benchmarks;
using MimNative.Runtime;

namespace MimNative.Cli.Commands;

/// <summary><c>mim bench</c>: how fast this machine trains, beside its own ceiling and beside a peer.</summary>
internal static class BenchCommand
{
    private const string All = "all", Ops = "ops", Steps = "steps", Scaling = "scaling";

    public static Command Create(Shell shell)
    {
        var section = new Argument<string>("section")
        {
            Description = "what to measure: ops (one by one), steps (whole training steps), scaling (a step with 1, 2, ... threads), or all",
            DefaultValueFactory = _ => All,
        };
        section.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: not (All or Ops or Steps or Scaling) and var other }])
            {
                result.AddError($"there is no section '{other}', expected {All}, {Ops}, {Steps} or {Scaling}");
            }
        });
        var cases = new Option<string[]>("--case") { Description = "a step by name, or ops by the beginning of their names, instead of all; may be repeated" };
        var recipe = new Option<string>("--recipe") { Description = "the step of a recipe, by name or file, instead of the cases" };
        var set = new Option<string[]>("--set") { Description = "changes a field of the recipe: encoder.depth=6" };
        var batch = CommonOptions.Whole("--batch", "images of a step; 0 for the case's own", 0, 65536, otherwise: 0);
        var threads = CommonOptions.Threads();
        var device = CommonOptions.Device();
        var precision = new Option<string[]>("--precision")
        {
            Description = "auto (bf16 where the processor has it), f32 or bf16; may be repeated",
        };
        var runs = CommonOptions.Whole(
            "--runs", "rounds of a case, each in a process of its own; 0 for 5 with a peer and 1 without", 0, 1000, otherwise: 0);
        var seconds = Seconds();
        var peer = new Option<string>("--peer") { Description = "a command that runs a Python script under PyTorch, to be measured beside" };
        var script = new Option<string>("--peer-script") { Description = "the peer's script (default: tests/benchmarks/peers/peer.py)" };
        var json = new Option<string>("--json") { Description = "writes the whole report to a file, or with - to standard output" };
        var measure = new Option<string>("--measure") { Description = "measures one task and prints a line of JSON", Hidden = true };
        var command = new Command("bench", "Measures how fast this machine trains, beside its own ceiling and beside PyTorch.")
        {
            section, cases, recipe, set, batch, precision, device, threads, runs, seconds, peer, script, json, measure,
        };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(measure) is { } task)
            {
                BenchRun.MeasureOne(shell, task);
                return ExitCode.Ok;
            }
            var asked = parsed.GetValue(section)!;
            var where = Device.Parse(parsed.GetValue(device)!);
            if (asked == Scaling && where.Kind != DeviceKind.Cpu)
            {
                throw new ArgumentException($"scaling is measured over CPU threads, expected --device cpu, not {where}");
            }
            var chosen = new BenchCases(
                parsed.GetValue(cases) ?? [], parsed.GetValue(recipe), parsed.GetValue(set) ?? [], parsed.GetValue(batch), where.Kind);
            var run = new BenchRun(shell, new BenchOptions
            {
                // who names a step does not mean the ops
                Ops = asked == Ops || (asked == All && chosen.IsEverything) ? chosen.Ops() : [],
                Steps = asked is All or Steps ? chosen.Steps() : [],
                Scaled = asked == Scaling || (asked == All && where.Kind == DeviceKind.Cpu) ? chosen.Scaled() : [],
                Device = where,
                Precisions = BenchCases.Precisions(parsed.GetValue(precision) ?? []),
                Threads = parsed.GetValue(threads),
                Runs = parsed.GetValue(runs),
                Seconds = parsed.GetValue(seconds),
                Peer = parsed.GetValue(peer),
                PeerScript = parsed.GetValue(script),
                Json = parsed.GetValue(json),
            });
            run.Execute();
            return ExitCode.Ok;
        });
        return command;
    }

    private static Option<double> Seconds() => new("--seconds")
    {
        Description = "how long a step is measured after its warm-up, 5 times at least; an op a twentieth of it",
        DefaultValueFactory = _ => 4,
        CustomParser = result =>
        {
            var text = result.Tokens.Count > 0 ? result.Tokens[^1].Value : "";
            if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value is >= 0 and <= 3600)
            {
                return value;
            }
            result.AddError($"--seconds is '{text}', expected a number from 0 to 3600");
            return 0;
        },
    };
}
