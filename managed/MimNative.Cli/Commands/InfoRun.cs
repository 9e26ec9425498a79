using System.Globalization;
using MimNative.Cli.Terminal;
using MimNative.Recipes;
using MimNative.Training;

namespace MimNative.Cli.Commands;

/// <summary><c>mim info RUN</c> for people: what a run is, how far it came, and how it learns.</summary>
internal static class InfoRun
{
    public static void Show(Shell shell, RunSummary run)
    {
        var recipe = run.Recipe;
        IEnumerable<string> lines =
        [
            .. Facts.Lines("run", run.Folder.Path),
            .. RecipeFacts.Lines(recipe, recipe.Base(), run.Folder.RecipePath),
            .. Facts.Lines("method", $"{recipe.Text("method")} on {Encoder(recipe)}"),
            .. Facts.Lines("model", Number($"{run.Parameters:N0} trained parameters, {run.EncoderParameters:N0} of them the encoder's")),
            .. Facts.Lines("data", Data(run)),
            .. Facts.Lines("progress", Progress(run)),
            .. Facts.Lines("loss", Loss(run.Metrics)),
            .. Course(run.Metrics),
            .. Facts.Lines("speed", Speed(run.Metrics)),
            .. Facts.Lines("time", Time(run)),
            .. Facts.Lines("device", run.State is { } state
                ? state.Device ?? "not known: an earlier version trained the run"
                : "known from the first checkpoint on"),
            .. Facts.Lines("precision", (run.State?.Precision ?? recipe.Train.Precision).ToString().ToLowerInvariant()),
            .. Checkpoints(run),
            .. Skipped(run),
            .. recipe.Warnings().SelectMany(warning => Facts.Lines("warning", warning)),
            .. run.Problems.SelectMany(problem => Facts.Lines("problem", problem)),
        ];
        foreach (var line in lines)
        {
            shell.Output.WriteLine(line);
        }
    }

    private static string Encoder(Recipe recipe)
    {
        static string List(IEnumerable<int> values) => string.Join('-', values);
        var (encoder, image) = (recipe.Encoder, recipe.Image);
        var sizes = encoder.Kind switch
        {
            EncoderKind.Swin => $"{encoder.Dim} wide, {List(encoder.Depths)} deep, heads {List(encoder.StageHeads)}, window {encoder.Window}",
            EncoderKind.ConvVit => $"{List(encoder.Dims)} wide, {List(encoder.Depths)} deep, {encoder.Heads} heads",
            _ => $"{encoder.Dim} wide, {encoder.Depth} deep, {encoder.Heads} heads",
        };
        return $"{recipe.Text("encoder.kind")}: {sizes}, patches of {encoder.Patch} in pictures of {image.Height} x {image.Width}";
    }

    private static string Data(RunSummary run)
    {
        var images = run.Images is { } count ? Number($"{count:N0} images") : "their number is known from the first checkpoint on";
        return $"{run.DataPath ?? "it is not known where the pictures are"}: {images}";
    }

    private static string Progress(RunSummary run)
    {
        var saved = run.State?.Step ?? 0;
        var steps = run.TotalSteps is { } total
            ? Number($"step {run.Steps} of {total} ({(double)run.Steps / total:0%}), epoch {run.Epochs} of {run.Recipe.Train.Epochs}")
            : $"step {run.Steps} of a run of {run.Recipe.Train.Epochs} epochs";
        var since = saved < run.Steps ? saved > 0 ? $", saved at step {saved}" : ", nothing saved yet" : "";
        var now = run.IsTraining ? "a process trains it now" : run.IsDone ? "done" : "no process trains it now";
        return $"{steps}{since}; {now}";
    }

    private static string Loss(MetricsSummary metrics) => metrics.Steps == 0
        ? "not known: metrics.jsonl has no step"
        : Number($"{metrics.LastLoss:0.0000} at step {metrics.LastStep}, {metrics.FirstLoss:0.0000} at first");

    private static IEnumerable<string> Course(MetricsSummary metrics) => metrics.Course.Count < 2
        ? []
        : Facts.Lines(
            "", $"means over {metrics.Course.Count} spans of the {metrics.Steps} steps:"
                + $" {string.Join(' ', metrics.Course.Select(mean => Number($"{mean:0.000}")))}");

    private static string Speed(MetricsSummary metrics) => double.IsFinite(metrics.ImagesPerSecond)
        ? Number($"{metrics.ImagesPerSecond:0.0} images/s, {metrics.ImagesPerSecondLately:0.0} of late")
        : "not known";

    private static string Time(RunSummary run)
    {
        var spent = double.IsFinite(run.Metrics.Seconds) ? $"{Duration(run.Metrics.Seconds)} in steps" : "not known";
        return run.IsDone ? spent
            : double.IsFinite(run.SecondsLeft) ? $"{spent}, about {Duration(run.SecondsLeft)} left"
            : $"{spent}; what is left is not known";
    }

    private static IEnumerable<string> Checkpoints(RunSummary run) => run.Checkpoints.Count == 0
        ? Facts.Lines("saved", "no checkpoint yet")
        : run.Checkpoints.SelectMany((c, i) => Facts.Lines(
            i == 0 ? "saved" : "", $"{Path.GetRelativePath(run.Folder.Path, c.Checkpoint.Folder)}: {Numbers.Bytes(c.Bytes)}"));

    private static IEnumerable<string> Skipped(RunSummary run)
    {
        if (run.SkippedCount == 0)
        {
            return [];
        }
        var more = run.SkippedCount > run.Skipped.Count ? ", ..." : "";
        return Facts.Lines(
            "skipped", $"{run.SkippedCount} {(run.SkippedCount == 1 ? "image" : "images")} could not be decoded: {string.Join(", ", run.Skipped)}{more} ({run.Folder.SkippedFile})");
    }

    // A year is as good as for ever, and more than a time span can hold is no error.
    private static string Duration(double seconds) =>
        seconds < TimeSpan.SecondsPerDay * 365 ? Numbers.Duration(TimeSpan.FromSeconds(seconds)) : "more than a year";

    private static string Number(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
