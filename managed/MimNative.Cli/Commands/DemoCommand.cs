using System.CommandLine;
using MimNative.Cli.Terminal;
using MimNative.Data;
using MimNative.Evaluation;
using MimNative.Recipes;
using MimNative.Runtime;
using MimNative.Training;

namespace MimNative.Cli.Commands;

/// <summary><c>mim demo</c>: draws pictures, pretrains a small model on them for about two minutes, shows what it learned.</summary>
internal static class DemoCommand
{
    /// <summary>Of the drawn set.</summary>
    public const int PictureCount = 3000, PictureSize = 80;

    public static Command Create(Shell shell)
    {
        var data = new Option<string>("--data") { Description = "your own pictures instead of the drawn ones" };
        var output = new Option<string>("--out") { Description = "the folder to make", DefaultValueFactory = _ => "runs/demo" };
        var set = new Option<string[]>("--set") { Description = "changes a field of the recipe 'demo': train.epochs=5" };
        var precision = CommonOptions.Precision();
        var seed = CommonOptions.Whole("--seed", "of the pictures and the run", 0, long.MaxValue, otherwise: 0);
        var (device, threads) = (CommonOptions.Device(), CommonOptions.Threads());
        var command = new Command("demo", "Pretrains a small model in about two minutes and shows what it sees.")
        {
            data, output, set, precision, seed, device, threads,
        };
        command.SetAction(parsed =>
        {
            var folder = FreeFolder(parsed.GetValue(output)!);
            var recipe = Recipe.Load(
                "demo",
                [
                    .. parsed.GetValue(set) ?? [], $"train.seed={parsed.GetValue(seed)}",
                    .. CommonOptions.Short("train.precision", precision, parsed),
                ]);
            using var context = CommonOptions.Open(parsed, device, threads);
            Precisions.Require(Precisions.Resolve(recipe.Train.Precision, context), context);
            using var source = Open(shell, parsed.GetValue(data), parsed.GetValue(seed), folder);
            Pretrainer.RequireFits(recipe, source.Count);
            var run = RunFolder.Create(folder, recipe, parsed.GetValue(data) ?? Drawn(folder));
            var code = new PretrainJob { Shell = shell, SheetEvery = 0 }.Run(run, source, context);
            if (code != ExitCode.Ok)
            {
                return code;
            }
            Show(shell, run, source, context);
            return ExitCode.Ok;
        });
        return command;
    }

    private static string Drawn(string folder) => Path.GetFullPath(Path.Combine(folder, "drawn", "images"));

    // runs/demo, or runs/demo-2, ... where it is taken.
    private static string FreeFolder(string wanted)
    {
        var free = wanted;
        for (var i = 2; Directory.Exists(free) && Directory.EnumerateFileSystemEntries(free).Any(); i++)
        {
            free = $"{wanted}-{i}";
        }
        return free;
    }

    // The reader's own pictures, or drawn ones, written to disk so that they can be looked at and the run can be resumed.
    private static IImageSource Open(Shell shell, string? data, long seed, string folder)
    {
        if (data is not null)
        {
            return ImageSources.Open(data);
        }
        shell.Output.WriteLine($"drawing    {PictureCount} pictures into {Drawn(folder)}");
        using var drawn = new ShapesSource(PictureCount, PictureSize, PictureSize, seed);
        drawn.Write(Path.Combine(folder, "drawn"));
        return ImageSources.Open(Drawn(folder));
    }

    private static void Show(Shell shell, RunFolder run, IImageSource source, Context context)
    {
        string sheetPath = Path.Combine(run.Path, "reconstruction.png"), curvePath = Path.Combine(run.Path, "loss.png");
        using var model = run.LoadModel(context);
        using var sheet = Sheets.OfData(model, source, rows: 6, StatisticsSource.True);
        using var curve = LossCurve.Draw(RunMetrics.Losses(run.MetricsFile), $"{run.Recipe.Name}: loss");
        Pictures.Write(curvePath, curve);
        shell.Output.WriteLine($"loss curve       {curvePath}");
        if (sheet is not null)
        {
            Pictures.Write(sheetPath, sheet);
            shell.Output.WriteLine($"reconstruction   {sheetPath}");
        }
        shell.Output.WriteLine($"TensorBoard      tensorboard --logdir {run.Path}");
        shell.Output.WriteLine($"next             ./mim reconstruct --run {run.Path} --images YOUR.jpg");
    }
}
