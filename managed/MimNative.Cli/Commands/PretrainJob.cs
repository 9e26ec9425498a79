using System.Globalization;
using MimNative.Cli.Terminal;
using MimNative.Data;
using MimNative.Evaluation;
using MimNative.Runtime;
using MimNative.Training;

namespace MimNative.Cli.Commands;

/// <summary>A run as the command line shows it: what it is before it begins, its progress, its sheets, how it ended.</summary>
internal sealed class PretrainJob
{
    private const int SheetRows = 6;

    public required Shell Shell { get; init; }

    public RunSettings RunSettings { get; init; } = new();

    public int SheetEvery { get; init; } = 5;

    public int Workers { get; init; } = Math.Max(1, Environment.ProcessorCount - 1);

    public bool Strict { get; init; }

    public bool Json { get; init; }

    /// <summary>Whether the run was there before.</summary>
    public bool IsResumed { get; init; }

    /// <summary>Trains until the run is done or somebody stops it.</summary>
    /// <param name="folder">The run.</param>
    /// <param name="source">Its pictures.</param>
    /// <param name="context">The device.</param>
    /// <param name="movedTo">Where the pictures are now; null where that is not new.</param>
    public int Run(RunFolder folder, IImageSource source, Context context, string? movedTo = null)
    {
        var display = new TrainingDisplay(Shell, Json);
        using var stop = new StopSignal(Shell);
        var skipped = new SkippedList(folder.SkippedFile);
        var pretrain = new PretrainSettings { Workers = Workers, Strict = Strict, Skipped = skipped.Add };
        using var run = new PretrainRun(folder, source, context, pretrain, RunSettings);
        if (movedTo is not null)
        {
            folder.MoveData(movedTo);
        }
        Introduce(display, run, source, context);
        var loop = run.Pretrainer;
        if (loop.IsDone)
        {
            display.Say($"the run is done: step {loop.Progress.Step} of {loop.TotalSteps}");
            return ExitCode.Ok;
        }
        bool finished;
        try
        {
            finished = run.Train(
                report => Show(display, report), epoch => DrawSheet(display, run, source, epoch), stop.Token);
        }
        finally
        {
            display.Finish();
            if (loop.Skipped.Count is > 0 and var count)
            {
                display.Say($"{count} images could not be decoded and were skipped; they are listed in {folder.SkippedFile}");
            }
        }
        var saved = folder.Latest is { } checkpoint ? $"saved in {checkpoint.Folder}" : "so there is nothing to save";
        display.Say($"step {loop.Progress.Step} of {loop.TotalSteps}, {saved}");
        if (!loop.IsDone)
        {
            display.Say($"stopped; go on with: mim pretrain --resume {folder.Path}");
        }
        return finished ? ExitCode.Ok : ExitCode.Stopped;
    }

    private static void Show(TrainingDisplay display, StepReport report)
    {
        display.Step(report);
        if (!float.IsFinite(report.GradientNorm))
        {
            display.Say($"step {report.Step}: the gradients are not finite, so the step changed nothing");
        }
    }

    private void Introduce(TrainingDisplay display, PretrainRun run, IImageSource source, Context context)
    {
        var (recipe, loop) = (run.Folder.Recipe, run.Pretrainer);
        if (loop.Progress.Step == 0)
        {
            display.Say(recipe.ToJson());
        }
        display.Say($"device     {context.Device}: {context.Description}");
        display.Say(string.Create(CultureInfo.InvariantCulture, $"model      {run.Model.Store.TrainedCount:N0} trained parameters"));
        display.Say($"precision  {Precisions.Describe(recipe.Train.Precision, loop.State.Precision, context)}");
        display.Say($"data       {source.Count} images, {loop.StepsPerEpoch} steps an epoch, {loop.TotalSteps} in all");
        display.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"lr         {recipe.EffectiveLearningRate():0.###e0} = base_lr {recipe.Train.BaseLearningRate:0.###e0} " +
            $"x {recipe.EffectiveBatch()} images a step / {recipe.Train.LearningRateDivisor}"));
        var memory = loop.Memory;
        display.Say(
            $"memory     {Numbers.Bytes(memory.Total)}: parameters {Numbers.Bytes(memory.Parameters)}, activations " +
            $"{Numbers.Bytes(memory.Activations)}, scratch {Numbers.Bytes(memory.Scratch)}, batches {Numbers.Bytes(memory.Batches)}");
        source.Warnings.ToList().ForEach(warning => display.Say($"warning    {warning}"));
        if (IsResumed)
        {
            display.Say(loop.Progress.Step > 0
                ? $"resumed    at step {loop.Progress.Step} (epoch {loop.Progress.Epoch + 1}, step {loop.Progress.StepInEpoch + 1} of it)"
                : "resumed    at the beginning: the run has no checkpoint yet");
        }
    }

    // The first pictures of the data through the model as it is now, always with the same masks.
    private void DrawSheet(TrainingDisplay display, PretrainRun run, IImageSource source, int epoch)
    {
        var isLast = run.Pretrainer.IsDone;
        if (SheetEvery == 0 || (epoch % SheetEvery != 0 && !isLast))
        {
            return;
        }
        var path = Path.Combine(run.Folder.SheetsFolder, $"epoch-{epoch:D4}.png");
        using var sheet = Sheets.OfData(run.Model, source, SheetRows, StatisticsSource.True);
        if (sheet is null)
        {
            return;
        }
        Pictures.Write(path, sheet);
        run.LogPicture("reconstruction", sheet);
        display.Say($"sheet      {path}");
    }
}
