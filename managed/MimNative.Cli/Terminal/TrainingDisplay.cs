using System.Diagnostics;
using System.Globalization;
using MimNative.Training;

namespace MimNative.Cli.Terminal;

/// <summary>
/// How training shows itself: one line that is rewritten in a terminal, a line every few seconds elsewhere, or a JSON object a
/// step for programs.
/// </summary>
internal sealed class TrainingDisplay(Shell shell, bool json)
{
    private static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LiveInterval = TimeSpan.FromMilliseconds(200);

    private readonly bool _live = !json && shell.ShowsOutput;
    private readonly long _start = Stopwatch.GetTimestamp();
    private long _shown;
    private long _firstStep = -1;
    private double _loss = double.NaN, _seconds, _wait, _images;

    /// <summary>Shows a step.</summary>
    public void Step(StepReport report)
    {
        if (json)
        {
            PrintJson(report);
            return;
        }
        if (_firstStep < 0)
        {
            _firstStep = report.Step - 1;
        }
        // What is shown is an average over about the last twenty steps.
        const double weight = 0.05;
        _loss = double.IsNaN(_loss) ? report.Loss : _loss + (weight * (report.Loss - _loss));
        _seconds = Average(_seconds, report.Seconds);
        _wait = Average(_wait, report.DataWaitSeconds);
        _images = report.Images;
        var isLast = report.Step == report.TotalSteps;
        var interval = _live ? LiveInterval : PlainInterval;
        if (!isLast && _shown != 0 && Stopwatch.GetElapsedTime(_shown) < interval)
        {
            return;
        }
        _shown = Stopwatch.GetTimestamp();
        var line = Line(report);
        if (_live)
        {
            var width = Math.Max(20, shell.Width - 1);
            shell.Output.Write("\r" + (line.Length > width ? line[..width] : line.PadRight(width)));
        }
        else
        {
            shell.Output.WriteLine(line);
        }
    }

    /// <summary>A line of its own.</summary>
    public void Say(string text)
    {
        if (json)
        {
            shell.Error.WriteLine(text);
            return;
        }
        if (_live && _shown != 0)
        {
            shell.Output.Write("\r" + new string(' ', Math.Max(20, shell.Width - 1)) + "\r");
        }
        shell.Output.WriteLine(text);
    }

    /// <summary>Ends the line that is rewritten.</summary>
    public void Finish()
    {
        if (_live && _shown != 0)
        {
            shell.Output.WriteLine();
        }
    }

    private string Line(StepReport r)
    {
        var perStep = Stopwatch.GetElapsedTime(_start).TotalSeconds / Math.Max(1, r.Step - _firstStep);
        var left = TimeSpan.FromSeconds(perStep * (r.TotalSteps - r.Step));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"step {r.Step}/{r.TotalSteps}  epoch {r.Epoch + 1}  loss {_loss:0.0000}  {_images / _seconds:0.0} images/s  " +
            $"data wait {100 * _wait / _seconds:0}%  lr {r.LearningRate:0.00e0}  " +
            $"memory {Numbers.Bytes(Environment.WorkingSet)}  left {Numbers.Duration(left)}");
    }

    private static double Average(double average, double value) => average == 0 ? value : average + (0.05 * (value - average));

    private void PrintJson(StepReport report) => JsonOutput.Print(
        shell,
        writer =>
        {
            writer.WriteStartObject();
            writer.WriteNumber("step", report.Step);
            writer.WriteNumber("total_steps", report.TotalSteps);
            writer.WriteNumber("epoch", report.Epoch);
            writer.WriteNumber("loss", report.Loss);
            writer.WriteNumber("learning_rate", report.LearningRate);
            JsonOutput.WriteNumber(writer, "gradient_norm", report.GradientNorm);
            writer.WriteNumber("images_per_second", report.ImagesPerSecond);
            writer.WriteNumber("data_wait_share", report.DataWaitShare);
            writer.WriteEndObject();
        },
        indented: false);
}
