using System.CommandLine;
using MimNative.Cli.Terminal;
using MimNative.Evaluation;
using MimNative.Evaluation.Objects;

namespace MimNative.Cli.Commands;

/// <summary><c>mim reconstruct</c>: what a model, or several, sees, predicts and pastes, as a picture.</summary>
internal static class ReconstructCommand
{
    public static Command Create(Shell shell)
    {
        var runs = new Option<string[]>("--run")
        {
            Description = "the run folder whose newest checkpoint is used; several for a sheet that compares them",
            Required = true,
            AllowMultipleArgumentsPerToken = true,
        };
        var images = new Option<string[]>("--images")
        {
            Description = "pictures: JPEG, PNG or WebP",
            Required = true,
            AllowMultipleArgumentsPerToken = true,
        };
        var mask = new Option<string>("--mask")
        {
            Description = "random, box:LEFT,TOP,WIDTH,HEIGHT (pixels of the picture), patches:I,J,K-L, file:MASK.png (bright = removed), " +
                "object (all that the object of --objects touches) or object:SHARE (patches that cover this share of it)",
            DefaultValueFactory = _ => "random",
        };
        var objects = ObjectOptions.Objects();
        var firstPixel = ObjectOptions.FirstPixel();
        var show = CommonOptions.Choice(
            "--show", "of several runs: pasted, or predicted (visible patches too)",
            ("pasted", ComparedPicture.Pasted), ("predicted", ComparedPicture.Predicted));
        var stats = CommonOptions.Choice(
            "--stats",
            "for models of normalised pixels: de-normalise with the removed patches' own statistics (true), or with those of their visible " +
                "neighbours (visible)",
            ("true", StatisticsSource.True), ("visible", StatisticsSource.Visible));
        var output = new Option<string>("--out") { Description = "the sheet to write", DefaultValueFactory = _ => "reconstruction.png" };
        var seed = CommonOptions.Whole("--seed", "of random masks", 0, long.MaxValue, otherwise: 0);
        var device = CommonOptions.Device();
        var threads = CommonOptions.Threads();
        var json = CommonOptions.Json();
        var command = new Command("reconstruct", "Draws original, masked, predicted and pasted pictures side by side, or several runs'.")
        {
            runs, images, mask, objects, firstPixel, show, stats, output, seed, device, threads, json,
        };
        command.SetAction(parsed =>
        {
            var rule = MaskRule.Parse(parsed.GetValue(mask)!);
            var where = parsed.GetValue(objects);
            if (rule.IsOfObject != where is not null)
            {
                throw new ArgumentException(where is null
                    ? $"--mask {parsed.GetValue(mask)} needs --objects, which says where the object is: {ObjectSources.Kinds}"
                    : "--objects is for --mask object and --mask object:SHARE only");
            }
            if (parsed.GetValue(runs)!.Length == 1 && parsed.GetResult(show) is { Implicit: false })
            {
                throw new ArgumentException("--show is for several runs; the sheet of one shows both");
            }
            var job = new ReconstructJob
            {
                Shell = shell,
                Images = parsed.GetValue(images)!,
                Rule = rule,
                Objects = where is null ? null : ObjectSources.Open(where, parsed.GetValue(images)!, parsed.GetValue(firstPixel)),
                Shown = parsed.GetValue(show),
                Statistics = parsed.GetValue(stats),
                Output = parsed.GetValue(output)!,
                Seed = parsed.GetValue(seed),
                Json = parsed.GetValue(json),
            };
            OutputFile.Prepare(job.Output);
            using var context = CommonOptions.Open(parsed, device, threads);
            return job.Run(parsed.GetValue(runs)!, context);
        });
        return command;
    }
}
