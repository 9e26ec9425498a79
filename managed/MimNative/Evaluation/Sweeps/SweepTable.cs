using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace MimNative.Evaluation.Sweeps;

/// <summary>The results of a sweep as files.</summary>
public static class SweepTable
{
    /// <summary>A line for each cell under a line of names, values in quotes where they hold a comma (RFC 4180).</summary>
    public static byte[] Csv(SweepPlan plan, IReadOnlyList<SweepResult> results)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(results);
        var text = new StringBuilder();
        void Line(IEnumerable<string> values) => text.AppendJoin(',', values.Select(Quoted)).Append('\n');
        Line(["cell", .. plan.Grid.Axes.Select(a => a.Key), "status", "steps", "first_loss", "loss", "images_per_second", "parameters", "reason"]);
        foreach (var result in results)
        {
            Line([
                result.Cell.Name, .. result.Cell.Values, Name(result.Status), $"{result.Steps}", Number(result.FirstLoss), Number(result.Loss),
                Number(result.ImagesPerSecond), $"{result.Cell.Parameters}", result.Reason ?? "",
            ]);
        }
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    /// <summary>The same as JSON, with what the sweep is and what its losses cannot tell.</summary>
    public static byte[] Json(SweepFolder folder, IReadOnlyList<SweepResult> results)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(results);
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartObject();
            writer.WriteString("folder", folder.Path);
            writer.WriteString("grid", folder.Plan.Grid.ToString());
            writer.WriteNumber("steps", folder.Plan.Steps);
            writer.WriteStartArray("cautions");
            folder.Plan.Cautions().ToList().ForEach(writer.WriteStringValue);
            writer.WriteEndArray();
            writer.WriteStartArray("cells");
            results.ToList().ForEach(result => Write(writer, folder, result));
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>A status as results call it.</summary>
    public static string Name(SweepStatus status) => status switch
    {
        SweepStatus.Done => "done",
        SweepStatus.Skipped => "skipped",
        SweepStatus.Failed => "failed",
        _ => "waiting",
    };

    private static void Write(Utf8JsonWriter writer, SweepFolder folder, SweepResult result)
    {
        void Number(string name, double value)
        {
            if (double.IsFinite(value))
            {
                writer.WriteNumber(name, value);
            }
            else
            {
                writer.WriteNull(name);
            }
        }
        writer.WriteStartObject();
        writer.WriteString("cell", result.Cell.Name);
        writer.WriteStartObject("values");
        foreach (var (axis, value) in folder.Plan.Grid.Axes.Zip(result.Cell.Values))
        {
            writer.WriteString(axis.Key, value);
        }
        writer.WriteEndObject();
        writer.WriteString("status", Name(result.Status));
        writer.WriteString("reason", result.Reason);
        writer.WriteNumber("steps", result.Steps);
        Number("first_loss", result.FirstLoss);
        Number("loss", result.Loss);
        Number("images_per_second", result.ImagesPerSecond);
        writer.WriteNumber("parameters", result.Cell.Parameters);
        writer.WriteEndObject();
    }

    private static string Number(double value) => double.IsFinite(value) ? value.ToString("G9", CultureInfo.InvariantCulture) : "";

    private static string Quoted(string text) =>
        text.AsSpan().IndexOfAny(",\"\n\r") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
