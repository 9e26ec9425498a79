using System.Text.Json;

namespace MimNative.Training;

/// <summary>
/// What a metrics.jsonl tells of a run, read in one pass. Lines that are no metrics, as a crash or a full disk leaves them, are counted and
/// passed over.
/// </summary>
public sealed class MetricsSummary
{
    private const int Spans = 10, FewSteps = 20;

    private readonly List<float> _losses = [], _seconds = [];
    private readonly int _images;
    private double _all;
    private int _timed;

    private MetricsSummary(int images) => _images = images;

    /// <summary>Steps that the file holds.</summary>
    public int Steps => _losses.Count;

    /// <summary>The number of the last step; 0 where there is none.</summary>
    public long LastStep { get; private set; }

    /// <summary>The loss of the first step; NaN where there is none.</summary>
    public float FirstLoss => Steps > 0 ? _losses[0] : float.NaN;

    /// <summary>The loss of the last step.</summary>
    public float LastLoss => Steps > 0 ? _losses[^1] : float.NaN;

    /// <summary>The course of the loss: means over ten spans of equally many steps, the first ones first; fewer where there are fewer steps.</summary>
    public IReadOnlyList<double> Course { get; private set; } = [];

    /// <summary>Seconds spent in steps: without checkpoints, pictures, and times between two processes.</summary>
    public double Seconds => _timed > 0 ? _all : double.NaN;

    /// <summary>Images a second over all steps; NaN where no line says it.</summary>
    public double ImagesPerSecond => (double)_timed * _images / Seconds;

    /// <summary>The same over the last tenth of the steps, or the last twenty.</summary>
    public double ImagesPerSecondLately => _images / SecondsPerStepLately;

    /// <summary>Seconds of a step over the last tenth of the steps, or the last twenty.</summary>
    public double SecondsPerStepLately => Mean(_seconds, Math.Max(0, Steps - Math.Max(FewSteps, Steps / Spans)), Steps);

    /// <summary>Lines that are no metrics of a step.</summary>
    public int DamagedLines { get; private set; }

    /// <summary>Whether the last line has no end: it was being written when the process or the machine stopped.</summary>
    public bool IsTorn { get; private set; }

    /// <summary>Reads a file; a missing one has no steps.</summary>
    /// <param name="path">The file.</param>
    /// <param name="imagesPerStep">Images of an optimiser step.</param>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static MetricsSummary Read(string path, int imagesPerStep)
    {
        var summary = new MetricsSummary(imagesPerStep);
        if (!File.Exists(path))
        {
            return summary;
        }
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var lines = new LineReader(stream);
        while (lines.Next(out var line))
        {
            summary.DamagedLines += IsBlank(line.Span) || summary.Add(line.Span) ? 0 : 1;
        }
        summary.IsTorn = !IsBlank(lines.Rest.Span) && !summary.Add(lines.Rest.Span);
        var (steps, spans) = (summary.Steps, Math.Min(Spans, summary.Steps));
        summary.Course =
        [
            .. Enumerable.Range(0, spans).Select(i => Mean(
                summary._losses, (int)((long)steps * i / spans), (int)((long)steps * (i + 1) / spans))),
        ];
        return summary;
    }

    private bool Add(ReadOnlySpan<byte> line)
    {
        if (!TryParse(line, out var step, out var loss, out var imagesPerSecond))
        {
            return false;
        }
        LastStep = step;
        var seconds = imagesPerSecond > 0 ? _images / imagesPerSecond : float.NaN;
        _losses.Add(loss);
        _seconds.Add(seconds);
        if (float.IsFinite(seconds))
        {
            _all += seconds;
            _timed++;
        }
        return true;
    }

    private static bool TryParse(ReadOnlySpan<byte> line, out long step, out float loss, out float imagesPerSecond)
    {
        (step, loss, imagesPerSecond) = (-1, float.NaN, float.NaN);
        line = line.TrimEnd((byte)'\r');
        if (line is not [(byte)'{', .., (byte)'}'])  // most damage, without the cost of an exception
        {
            return false;
        }
        var json = new Utf8JsonReader(line);
        try
        {
            json.Read();
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                if (json.ValueTextEquals("step"u8))
                {
                    step = json.Read() && json.TokenType == JsonTokenType.Number && json.TryGetInt64(out var number) ? number : -1;
                }
                else if (json.ValueTextEquals("loss"u8))
                {
                    loss = Number(ref json);
                }
                else if (json.ValueTextEquals("images_per_second"u8))
                {
                    imagesPerSecond = Number(ref json);
                }
                else
                {
                    json.Skip();
                }
            }
            return !json.Read() && step >= 0;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    // JSON has no word for what is not finite: null stands there.
    private static float Number(ref Utf8JsonReader json)
    {
        json.Read();
        if (json.TokenType == JsonTokenType.Number && json.TryGetSingle(out var value))
        {
            return value;
        }
        json.Skip();
        return float.NaN;
    }

    private static bool IsBlank(ReadOnlySpan<byte> line) => line.Trim(" \t\r"u8).IsEmpty;

    // Of those that are finite; NaN where none is.
    private static double Mean(List<float> values, int begin, int end)
    {
        var (sum, count) = (0.0, 0);
        for (var i = begin; i < end; i++)
        {
            if (float.IsFinite(values[i]))
            {
                (sum, count) = (sum + values[i], count + 1);
            }
        }
        return sum / count;
    }
}
