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

    public RunSettings RunSettings { get; init; } = new();

    public int SheetEvery { get; init; } = 5;

    public int Workers { get; init; } = Math.Max(1, Environment.ProcessorCount - 1);

    public bool Strict { get; init; }

    public bool Json { get; init; }

    /// <summary>Trains until the run is done or somebody stops it.</summary>
    public int Run(RunFolder folder, IImageSource source, Context context)
    {
        var display = new TrainingDisplay(Json);
        using var stop = new StopSignal();
        var pretrain = new PretrainSettings
        {
            Workers = Workers,
            Strict = Strict,
            Skipped = image => File.AppendAllText(folder.SkippedFile, $"{image.Name}\t{image.Reason}\n"),
        };
        using var run = new PretrainRun(folder, source, context, pretrain, RunSettings);
        Introduce(display, run, source, context);
        if (run.Pretrainer.IsDone)
        {
            display.Say($"the run is done: step {run.Pretrainer.State.Step} of {run.Pretrainer.TotalSteps}");
            return ExitCode.Ok;
        }
        bool finished;
        try
        {
            finished = run.Train(
                display.Step, epoch => DrawSheet(display, run, source, epoch), stop.Token);
        }
        finally
        {
            display.Finish();
        }
        var skipped = run.Pretrainer.Skipped.Count;
        if (skipped > 0)
        {
            display.Say($"{skipped} images could not be decoded and were skipped; they are listed in {folder.SkippedFile}");
        }
        display.Say($"step {run.Pretrainer.State.Step} of {run.Pretrainer.TotalSteps}, saved in {folder.Latest?.Folder}");
        if (finished)
        {
            return ExitCode.Ok;
        }
        display.Say($"stopped; go on with: mim pretrain --resume {folder.Path}");
        return ExitCode.Stopped;
    }

    private static void Introduce(TrainingDisplay display, PretrainRun run, IImageSource source, Context context)
    {
        var (recipe, loop) = (run.Folder.Recipe, run.Pretrainer);
        if (loop.State.Step == 0)
        {
            display.Say(recipe.ToJson());
        }
        display.Say($"device     {context.Device}: {context.Description}");
        display.Say(string.Create(CultureInfo.InvariantCulture, $"model      {run.Model.Store.TrainedCount:N0} trained parameters"));
        display.Say($"data       {source.Count} images, {loop.StepsPerEpoch} steps an epoch, {loop.TotalSteps} in all");
        display.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"lr         {recipe.EffectiveLearningRate():0.###e0} = base_lr {recipe.Train.BaseLearningRate:0.###e0} x {recipe.EffectiveBatch()} images a step / {recipe.Train.LearningRateDivisor}"));
        var memory = loop.Memory;
        display.Say(
            $"memory     {Numbers.Bytes(memory.Total)}: parameters {Numbers.Bytes(memory.Parameters)}, activations " +
            $"{Numbers.Bytes(memory.Activations)}, scratch {Numbers.Bytes(memory.Scratch)}, batches {Numbers.Bytes(memory.Batches)}");
        if (loop.State.Step > 0)
        {
            display.Say($"resumed    at step {loop.State.Step} (epoch {loop.State.Epoch + 1}, step {loop.State.StepInEpoch + 1} of it)");
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
