using System.Buffers;
using System.Text.Json;
using MimNative.Export;

namespace MimNative.Training;

/// <summary>
/// A run's metrics.jsonl: one JSON object per line, of which "step" is the first field and rises from line to
/// line. A resumed run cuts off the steps that it is going to repeat, so the file has each step once.
/// </summary>
public sealed class MetricsLog : IDisposable
{
    private readonly FileStream _stream;
    private readonly ArrayBufferWriter<byte> _line = new();

    private MetricsLog(FileStream stream) => _stream = stream;

    /// <summary>Opens the file of a run that continues after <paramref name="resumedStep"/>; 0 begins anew.</summary>
    /// <remarks>
    /// A last line that a crash tore off is dropped.
    /// </remarks>
    /// <exception cref="InvalidFileException">A line before the last is not a JSON object with a step.</exception>
    public static MetricsLog Open(string path, long resumedStep)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentOutOfRangeException.ThrowIfNegative(resumedStep);
        FileStream? stream = new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        try
        {
            stream.SetLength(LengthUpTo(resumedStep, stream, path));
            stream.Seek(0, SeekOrigin.End);
            var log = new MetricsLog(stream);
            stream = null;
            return log;
        }
        finally
        {
            stream?.Dispose();
        }
    }

    /// <summary>
    /// Appends one line. JSON has no word for NaN and the infinities: they are written as null.
    /// </summary>
    public void Append(long step, params IEnumerable<KeyValuePair<string, double>> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        _line.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(_line))
        {
            json.WriteStartObject();
            json.WriteNumber("step", step);
            foreach ((string name, double value) in values)
            {
                if (double.IsFinite(value))
                {
                    json.WriteNumber(name, value);
                }
                else
                {
                    json.WriteNull(name);
                }
            }
            json.WriteEndObject();
        }
        _line.Write("\n"u8);
        // one write per line: another process sees whole lines, and a crash of this one tears none
        _stream.Write(_line.WrittenSpan);
        _stream.Flush();
    }

    /// <summary>Makes all lines so far survive a power failure; called where a checkpoint is made.</summary>
    public void FlushToDisk() => _stream.Flush(flushToDisk: true);

    /// <summary>Closes the file.</summary>
    public void Dispose() => _stream.Dispose();

    /// <summary>The length in bytes of the whole lines whose step is at most resumedStep.</summary>
    private static long LengthUpTo(long resumedStep, FileStream stream, string path)
    {
        long length = 0, number = 0;
        using var reader = new LineReader(stream);
        while (reader.Next(out ReadOnlyMemory<byte> line))
        {
            ++number;
            if (StepOf(line) is not { } step)
            {
                if (reader.AtEnd)
                {
                    break;  // torn at a block's edge: the newline reached the disk before the rest
                }
                throw new InvalidFileException(path,
                    $"line {number} should be a JSON object with a whole number 'step'; to go on without the "
                    + "metrics so far, remove the file.");
            }
            if (step > resumedStep)
            {
                break;
            }
            length += line.Length + 1;
        }
        return length;
    }

    private static long? StepOf(ReadOnlyMemory<byte> line)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            return document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("step", out JsonElement step)
                && step.ValueKind == JsonValueKind.Number && step.TryGetInt64(out long value)
                    ? value
                    : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
