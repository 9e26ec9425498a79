using System.Text.Json;
using MimNative.Runtime;

namespace MimNative.Training;

/// <summary>What a run writes down of every step: metrics.jsonl, TensorBoard events, and the meters of the process.</summary>
public sealed class RunMetrics : IDisposable
{
    private readonly MetricsLog _log;
    private readonly TensorBoardLog _board;

    /// <summary>The metrics of a run that goes on after a step; 0 begins anew. Steps that will be repeated are cut off.</summary>
    public RunMetrics(RunFolder folder, long resumedStep)
    {
        ArgumentNullException.ThrowIfNull(folder);
        _log = MetricsLog.Open(folder.MetricsFile, resumedStep);
        _board = new TensorBoardLog(folder.Path, resumedStep);
    }

    /// <summary>Writes a step.</summary>
    public void Step(in StepReport report)
    {
        KeyValuePair<string, double>[] values =
        [
            new("epoch", report.Epoch),
            new("loss", report.Loss),
            new("learning_rate", report.LearningRate),
            new("gradient_norm", report.GradientNorm),
            new("images_per_second", report.ImagesPerSecond),
            new("data_wait_share", report.DataWaitShare),
        ];
        _log.Append(report.Step, values);
        foreach (var (name, value) in values)
        {
            _board.AddScalar($"train/{name}", value, report.Step);
        }
        TrainingMeter.RecordStep(
            report.Loss, report.LearningRate, report.Images, TimeSpan.FromSeconds(report.Seconds),
            TimeSpan.FromSeconds(report.DataWaitSeconds));
    }

    /// <summary>Writes a picture to the TensorBoard events.</summary>
    public void Picture(string name, Image picture, long step)
    {
        ArgumentNullException.ThrowIfNull(picture);
        _board.AddImage(name, picture.EncodePng(), picture.Width, picture.Height, step);
        _board.Flush();
    }

    /// <summary>Everything written so far is on the disk: a checkpoint is never ahead of its metrics.</summary>
    public void Flush()
    {
        _log.FlushToDisk();
        _board.Flush();
    }

    /// <summary>The losses of a metrics.jsonl, step by step.</summary>
    public static IReadOnlyList<float> Losses(string path)
    {
        var losses = new List<float>();
        foreach (var line in File.ReadLines(path))
        {
            using var json = JsonDocument.Parse(line);
            losses.Add(json.RootElement.GetProperty("loss").GetSingle());
        }
        return losses;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _log.Dispose();
        _board.Dispose();
    }
}
