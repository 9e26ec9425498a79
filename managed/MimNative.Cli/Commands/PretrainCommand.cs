using System.CommandLine;
using System.Globalization;
using MimNative.Cli.Terminal;
using MimNative.Data;
using MimNative.Recipes;
using MimNative.Runtime;
using MimNative.Training;

namespace MimNative.Cli.Commands;

/// <summary><c>mim pretrain</c>: trains a recipe on pictures, or goes on with a run.</summary>
internal static class PretrainCommand
{
    public static Command Create()
    {
        var recipe = new Option<string>("--recipe") { Description = "a recipe's name (see 'mim info recipes') or a JSON file" };
        var data = new Option<string>("--data") { Description = "a folder of pictures (nested or flat), a list (.txt), a tar shard or a folder of shards" };
        var output = new Option<string>("--out") { Description = "the run folder to make" };
        var resume = new Option<string>("--resume") { Description = "a run folder to go on with" };
        var set = new Option<string[]>("--set") { Description = "changes a field of the recipe: train.batch=256" };
        var epochs = new Option<int?>("--epochs") { Description = "short for --set train.epochs=" };
        var batch = new Option<int?>("--batch") { Description = "short for --set train.batch=" };
        var seed = new Option<long?>("--seed") { Description = "short for --set train.seed=" };
        var workers = new Option<int>("--workers")
        {
            Description = "threads that decode pictures",
            DefaultValueFactory = _ => Math.Max(1, Environment.ProcessorCount - 1),
        };
        var strict = new Option<bool>("--strict") { Description = "a picture that cannot be decoded is an error" };
        var checkpointEvery = new Option<long>("--checkpoint-every") { Description = "steps between checkpoints; 0 for one an epoch" };
        var keepLast = new Option<int>("--keep-last") { Description = "newest checkpoints to keep", DefaultValueFactory = _ => 2 };
        var keepEvery = new Option<long>("--keep-every") { Description = "keep every checkpoint of a step divisible by this; 0 for none" };
        var sheetEvery = new Option<int>("--sheet-every") { Description = "epochs between reconstruction sheets; 0 for none", DefaultValueFactory = _ => 5 };
        var stopAfter = new Option<long>("--stop-after") { Description = "stop, saved, after this step; the schedule stays that of all epochs" };
        var device = CommonOptions.Device();
        var threads = CommonOptions.Threads();
        var json = CommonOptions.Json();
        var command = new Command("pretrain", "Pretrains a model on unlabelled pictures.")
        {
            recipe, data, output, resume, set, epochs, batch, seed, workers, strict, checkpointEvery, keepLast, keepEvery,
            sheetEvery, stopAfter, device, threads, json,
        };
        command.SetAction(parsed =>
        {
            var continued = parsed.GetValue(resume);
            Option[] ofNewRuns = [recipe, output, set, epochs, batch, seed];
            var given = ofNewRuns.FirstOrDefault(o => parsed.GetResult(o) is not null)?.Name;
            if (continued is not null && given is not null)
            {
                throw new ArgumentException($"{given} cannot be given with --resume: a run goes on with its own recipe");
            }
            if (continued is null)
            {
                foreach (var (option, value) in new[]
                {
                    ("--recipe", parsed.GetValue(recipe)), ("--data", parsed.GetValue(data)), ("--out", parsed.GetValue(output)),
                })
                {
                    _ = value ?? throw new ArgumentException($"pretrain needs {option}, or --resume RUN");
                }
            }
            var job = new PretrainJob
            {
                RunSettings = new RunSettings
                {
                    CheckpointEvery = AtLeast(0, parsed.GetValue(checkpointEvery), "--checkpoint-every"),
                    KeepLast = (int)AtLeast(1, parsed.GetValue(keepLast), "--keep-last"),
                    KeepEvery = AtLeast(0, parsed.GetValue(keepEvery), "--keep-every"),
                    StopAfter = AtLeast(0, parsed.GetValue(stopAfter), "--stop-after"),
                },
                SheetEvery = (int)AtLeast(0, parsed.GetValue(sheetEvery), "--sheet-every"),
                Workers = (int)AtLeast(1, parsed.GetValue(workers), "--workers"),
                Strict = parsed.GetValue(strict),
                Json = parsed.GetValue(json),
            };
            using var context = CommonOptions.Open(parsed, device, threads);
            if (continued is not null)
            {
                var run = RunFolder.Open(continued);
                using var source = ImageSources.Open(parsed.GetValue(data) ?? run.DataPath);
                return job.Run(run, source, context);
            }
            var settings = (parsed.GetValue(set) ?? [])
                .Concat(Short("train.epochs", parsed.GetValue(epochs)))
                .Concat(Short("train.batch", parsed.GetValue(batch)))
                .Concat(Short("train.seed", parsed.GetValue(seed)));
            var loaded = Recipe.Load(parsed.GetValue(recipe)!, settings);
            using var pictures = ImageSources.Open(parsed.GetValue(data)!);
            var path = parsed.GetValue(data)!;
            return job.Run(RunFolder.Create(parsed.GetValue(output)!, loaded, Path.GetFullPath(path)), pictures, context);
        });
        return command;
    }

    private static string[] Short<T>(string key, T? value) where T : struct =>
        value is null ? [] : [string.Create(CultureInfo.InvariantCulture, $"{key}={value}")];

    private static long AtLeast(long least, long value, string option) =>
        value >= least ? value : throw new ArgumentException($"{option} is {value}, expected at least {least}");
}
