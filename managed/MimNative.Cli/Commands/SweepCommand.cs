using System.CommandLine;
using System.Globalization;
using MimNative.Cli.Terminal;
using MimNative.Data;
using MimNative.Evaluation.Sweeps;
using MimNative.Training;
using Spectre.Console;

namespace MimNative.Cli.Commands;

/// <summary><c>mim sweep</c>: every combination of some settings, a short run each, into one table and one plot.</summary>
internal static class SweepCommand
{
    public static Command Create(Shell shell)
    {
        var recipe = new Option<string>("--recipe")
        {
            Description = "a recipe's name (see 'mim info recipes') or a JSON file",
            Required = true,
        };
        var data = new Option<string>("--data")
        {
            Description = "a folder of pictures or of tar shards, one shard, a pattern (\"photos/**/*.jpg\") or a list (.txt); see docs/data.md",
            Required = true,
        };
        var grid = new Option<string>("--grid")
        {
            Description = "keys of the recipe with their values: \"mask.patch=8,16,32;mask.ratio=0.4,0.6\"",
            Required = true,
        };
        var steps = CommonOptions.Whole("--steps", "optimiser steps of each cell", 1, 1_000_000, otherwise: 100);
        var output = new Option<string>("--out") { Description = "the sweep's folder: a new one, or one to go on with", Required = true };
        var set = new Option<string[]>("--set") { Description = "changes a field of the recipe in all cells: train.batch=32" };
        var batch = CommonOptions.Whole("--batch", "short for --set train.batch=", 1, int.MaxValue, otherwise: 0);
        var seed = CommonOptions.Whole("--seed", "short for --set train.seed=", 0, long.MaxValue, otherwise: 0);
        var precision = CommonOptions.Precision();
        var workers = CommonOptions.Whole(
            "--workers", "threads that decode pictures", 1, LoaderOptions.MostWorkers, Math.Max(1, Environment.ProcessorCount - 1));
        var strict = new Option<bool>("--strict") { Description = "a picture that cannot be decoded is an error" };
        var checkpointEvery = CommonOptions.Whole(
            "--checkpoint-every", "steps between checkpoints of a cell", 1, long.MaxValue, otherwise: 100);
        var device = CommonOptions.Device();
        var threads = CommonOptions.Threads();
        var json = CommonOptions.Json();
        var command = new Command("sweep", "Tries every combination of some settings with a short run each.")
        {
            recipe, data, grid, steps, output, set, batch, seed, precision, workers, strict, checkpointEvery, device, threads, json,
        };
        command.SetAction(parsed =>
        {
            var tried = SweepGrid.Parse(parsed.GetValue(grid)!);
            string[] settings =
            [
                .. parsed.GetValue(set) ?? [], .. CommonOptions.Short("train.batch", batch, parsed),
                .. CommonOptions.Short("train.seed", seed, parsed), .. CommonOptions.Short("train.precision", precision, parsed),
            ];
            var path = parsed.GetValue(data)!;
            using var source = ImageSources.Open(path);
            var plan = SweepPlan.Make(parsed.GetValue(recipe)!, settings, tried, parsed.GetValue(steps), source.Count);
            using var context = CommonOptions.Open(parsed, device, threads);
            var folder = SweepFolder.Open(parsed.GetValue(output)!, plan, source, path);
            var sweep = new Sweep(folder, source, path) { CheckpointEvery = parsed.GetValue(checkpointEvery) };
            var pretrain = new PretrainSettings { Workers = parsed.GetValue(workers), Strict = parsed.GetValue(strict) };
            var asJson = parsed.GetValue(json);
            source.Warnings.ToList().ForEach(warning => Say(shell, $"warning    {warning}", asJson));
            var finished = Run(shell, sweep, folder, context, pretrain, asJson);
            if (asJson)
            {
                shell.Output.Write(System.Text.Encoding.UTF8.GetString(SweepTable.Json(folder, sweep.Results)) + "\n");
            }
            else
            {
                Print(shell, plan, sweep.Results);
                shell.Output.WriteLine($"{folder.In("results.csv")}, {folder.In("results.json")}, {folder.In("results.png")}");
            }
            if (!finished)
            {
                Say(shell, "stopped and saved; the same command goes on", asJson);
            }
            return finished ? ExitCode.Ok : ExitCode.Stopped;
        });
        return command;
    }

    private static bool Run(Shell shell, Sweep sweep, SweepFolder folder, Runtime.Context context, PretrainSettings pretrain, bool json)
    {
        using var stop = new StopSignal(shell);
        var plan = folder.Plan;
        foreach (var skipped in plan.Cells.Where(c => c.Recipe is null))
        {
            Say(shell, $"skipped    {skipped.Name}: {skipped.Skipped}", json);
        }
        TrainingDisplay? display = null;
        try
        {
            return sweep.Run(
                context, pretrain,
                cell =>
                {
                    display?.Finish();
                    display = json ? null : new TrainingDisplay(shell, json: false);
                    Say(shell, $"cell       {cell.Name} ({plan.Cells.Count} in all)", json);
                },
                report => display?.Step(report), stop.Token);
        }
        finally
        {
            display?.Finish();
        }
    }

    private static void Print(Shell shell, SweepPlan plan, IReadOnlyList<SweepResult> results)
    {
        static string Text(double value, string format) =>
            double.IsFinite(value) ? value.ToString(format, CultureInfo.InvariantCulture) : "";
        var table = Tables.New([.. plan.Grid.Axes.Select(a => a.Key), "status", "first loss", "loss", "images/s", "parameters"]);
        foreach (var result in results)
        {
            string[] values =
            [
                .. result.Cell.Values, SweepTable.Name(result.Status), Text(result.FirstLoss, "0.0000"), Text(result.Loss, "0.0000"),
                Text(result.ImagesPerSecond, "0.0"), result.Cell.Parameters > 0 ? $"{result.Cell.Parameters}" : "",
            ];
            table.AddRow(values.Select(Markup.Escape).ToArray());
        }
        Tables.Print(shell, table);
        foreach (var result in results.Where(r => r.Status == SweepStatus.Failed))
        {
            shell.Output.WriteLine($"failed     {result.Cell.Name}: {result.Reason}");
        }
        plan.Cautions().ToList().ForEach(caution => shell.Output.WriteLine($"note       {caution}"));
    }

    private static void Say(Shell shell, string text, bool json) => (json ? shell.Error : shell.Output).WriteLine(text);
}
