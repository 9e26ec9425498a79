using System.CommandLine;
using System.CommandLine.Parsing;
using MimNative.Evaluation;
using MimNative.Runtime;
using MimNative.Training;

namespace MimNative.Cli.Commands;

/// <summary><c>mim reconstruct</c>: what a model sees, predicts and pastes, as a picture.</summary>
internal static class ReconstructCommand
{
    public static Command Create()
    {
        var run = new Option<string>("--run") { Description = "the run folder whose newest checkpoint is used", Required = true };
        var images = new Option<string[]>("--images")
        {
            Description = "pictures: JPEG, PNG or WebP",
            Required = true,
            AllowMultipleArgumentsPerToken = true,
        };
        var mask = new Option<string>("--mask")
        {
            Description = "random, box:LEFT,TOP,WIDTH,HEIGHT (pixels of the picture), patches:I,J,K-L, or file:MASK.png (bright = removed)",
            DefaultValueFactory = _ => "random",
        };
        var stats = new Option<StatisticsSource>("--stats")
        {
            Description = "for models of normalised pixels: de-normalise with the removed patches' own statistics (true), " +
                "or with those of their visible neighbours (visible)",
            DefaultValueFactory = _ => StatisticsSource.True,
            CustomParser = ParseStatistics,
        };
        var output = new Option<string>("--out") { Description = "the sheet to write", DefaultValueFactory = _ => "reconstruction.png" };
        var seed = CommonOptions.Whole("--seed", "of random masks", 0, long.MaxValue, otherwise: 0);
        var device = CommonOptions.Device();
        var threads = CommonOptions.Threads();
        var command = new Command("reconstruct", "Draws original, masked, predicted and pasted pictures side by side.")
        {
            run, images, mask, stats, output, seed, device, threads,
        };
        command.SetAction(parsed =>
        {
            var rule = MaskRule.Parse(parsed.GetValue(mask)!);
            var folder = RunFolder.Open(parsed.GetValue(run)!);
            OutputFile.Prepare(parsed.GetValue(output)!);
            using var context = CommonOptions.Open(parsed, device, threads);
            using var model = folder.LoadModel(context);
            using var reconstructor = new Reconstructor(model);
            var rows = new List<ReconstructedPicture>();
            var statistics = parsed.GetValue(stats);
            try
            {
                foreach (var path in parsed.GetValue(images)!)
                {
                    using var picture = Pictures.Read(path);
                    using var view = PictureView.Of(picture, folder.Recipe);
                    var removed = rule.IsRandom
                        ? reconstructor.RandomMask(parsed.GetValue(seed), rows.Count)
                        : rule.Removed(view, folder.Recipe, model.Method.Grid);
                    rows.Add(reconstructor.Reconstruct(view.Image, removed, statistics));
                    Console.WriteLine($"{path}: loss {rows[^1].Loss:0.0000} over {removed.Count(r => r)} of {removed.Length} patches");
                }
                using var sheet = ReconstructionSheet.Draw(rows, reconstructor.Caption(statistics));
                Pictures.Write(parsed.GetValue(output)!, sheet);
            }
            finally
            {
                rows.ForEach(r => r.Dispose());
            }
            Console.WriteLine($"{parsed.GetValue(output)} ({reconstructor.Caption(statistics)})");
            return ExitCode.Ok;
        });
        return command;
    }

    private static StatisticsSource ParseStatistics(ArgumentResult result)
    {
        switch (result.Tokens[^1].Value)
        {
            case "true":
                return StatisticsSource.True;
            case "visible":
                return StatisticsSource.Visible;
            case var other:
                result.AddError($"--stats is '{other}', expected true or visible");
                return default;
        }
    }
}
