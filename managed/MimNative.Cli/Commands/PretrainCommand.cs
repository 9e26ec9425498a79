using System.CommandLine;
using MimNative.Cli.Terminal;
using MimNative.Data;
using MimNative.Export;
using MimNative.Recipes;
using MimNative.Runtime;
using MimNative.Training;

namespace MimNative.Cli.Commands;

/// <summary><c>mim pretrain</c>: trains a recipe on pictures, or goes on with a run.</summary>
internal static class PretrainCommand
{
    public static Command Create(Shell shell)
    {
        var recipe = new Option<string>("--recipe") { Description = "a recipe's name (see 'mim info recipes') or a JSON file" };
        var data = new Option<string>("--data")
        {
            Description = "a folder of pictures or of tar shards, one shard, a pattern (\"photos/**/*.jpg\") or a list (.txt); see docs/data.md",
        };
        var output = new Option<string>("--out") { Description = "the run folder to make" };
        var resume = new Option<string>("--resume") { Description = "a run folder to go on with" };
        var set = new Option<string[]>("--set") { Description = "changes a field of the recipe: train.batch=256" };
        var epochs = CommonOptions.Whole("--epochs", "short for --set train.epochs=", 1, int.MaxValue, otherwise: 0);
        var batch = CommonOptions.Whole("--batch", "short for --set train.batch=", 1, int.MaxValue, otherwise: 0);
        var seed = CommonOptions.Whole("--seed", "short for --set train.seed=", 0, long.MaxValue, otherwise: 0);
        var precision = CommonOptions.Precision();
        var workers = CommonOptions.Whole(
            "--workers", "threads that decode pictures", 1, LoaderOptions.MostWorkers, Math.Max(1, Environment.ProcessorCount - 1));
        var strict = new Option<bool>("--strict") { Description = "a picture that cannot be decoded is an error" };
        var checkpointEvery = CommonOptions.Whole(
            "--checkpoint-every", "steps between checkpoints; 0 for one an epoch", 0, long.MaxValue, otherwise: 0);
        var keepLast = CommonOptions.Whole("--keep-last", "newest checkpoints to keep", 1, int.MaxValue, otherwise: 2);
        var keepEvery = CommonOptions.Whole(
            "--keep-every", "keep every checkpoint of a step divisible by this; 0 for none", 0, long.MaxValue, otherwise: 0);
        var sheetEvery = CommonOptions.Whole(
            "--sheet-every", "epochs between reconstruction sheets; 0 for none", 0, int.MaxValue, otherwise: 5);
        var stopAfter = CommonOptions.Whole(
            "--stop-after", "stop, saved, after this step; the schedule stays that of all epochs", 0, long.MaxValue, otherwise: 0);
        var device = CommonOptions.Device();
        var threads = CommonOptions.Threads();
        var json = CommonOptions.Json();
        var command = new Command("pretrain", "Pretrains a model on unlabelled pictures.")
        {
            recipe, data, output, resume, set, epochs, batch, seed, precision, workers, strict, checkpointEvery, keepLast, keepEvery,
            sheetEvery, stopAfter, device, threads, json,
        };
        command.SetAction(parsed =>
        {
            var continued = parsed.GetValue(resume);
            Option[] ofNewRuns = [recipe, output, set, epochs, batch, seed, precision];
            var given = ofNewRuns.FirstOrDefault(o => parsed.GetResult(o) is { Implicit: false })?.Name;
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
                Shell = shell,
                RunSettings = new RunSettings
                {
                    CheckpointEvery = parsed.GetValue(checkpointEvery),
                    KeepLast = parsed.GetValue(keepLast),
                    KeepEvery = parsed.GetValue(keepEvery),
                    StopAfter = parsed.GetValue(stopAfter),
                },
                SheetEvery = parsed.GetValue(sheetEvery),
                Workers = parsed.GetValue(workers),
                Strict = parsed.GetValue(strict),
                Json = parsed.GetValue(json),
                RecipeName = parsed.GetValue(recipe),
                IsResumed = continued is not null,
            };
            var path = parsed.GetValue(data);
            using var context = CommonOptions.Open(parsed, device, threads);
            if (continued is not null)
            {
                var run = RunFolder.Open(continued);
                using var source = OpenAgain(run, path);
                return job.Run(run, source, context, movedTo: path);
            }
            var settings = (parsed.GetValue(set) ?? [])
                .Concat(CommonOptions.Short("train.epochs", epochs, parsed))
                .Concat(CommonOptions.Short("train.batch", batch, parsed))
                .Concat(CommonOptions.Short("train.seed", seed, parsed))
                .Concat(CommonOptions.Short("train.precision", precision, parsed));
            var loaded = Recipe.Load(parsed.GetValue(recipe)!, settings);
            using var pictures = ImageSources.Open(path!);
            // Before the folder is made: a run that cannot begin should not be in the way of one that can.
            Pretrainer.RequireFits(loaded, pictures.Count);
            return job.Run(RunFolder.Create(parsed.GetValue(output)!, loaded, path!), pictures, context);
        });
        return command;
    }

    // The pictures of a run that goes on: where --data says, else where they were when it began.
    private static IImageSource OpenAgain(RunFolder run, string? data)
    {
        if (data is not null)
        {
            return ImageSources.Open(data);
        }
        try
        {
            return ImageSources.Open(run.DataPath);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or InvalidDataException)
        {
            throw new InvalidFileException(
                $"the pictures of the run '{run.Path}' are not where they were: {e.Message.TrimEnd('.')}; " +
                "say with --data where they are", e);
        }
    }
}
