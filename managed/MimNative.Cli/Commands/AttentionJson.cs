using System.Text.Json;
using MimNative.Cli.Terminal;
using MimNative.Evaluation;
using MimNative.Training;

namespace MimNative.Cli.Commands;

/// <summary>What <c>mim attention --json</c> prints.</summary>
internal static class AttentionJson
{
    public static void Print(
        Shell shell, RunFolder run, AttentionStudy study, string[] paths, string? mask, string maps, string plot) => JsonOutput.Print(shell, writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("run", run.Path);
        writer.WriteNumber("step", run.Latest!.Step);
        writer.WriteString("maps", maps);
        writer.WriteString("plot", plot);
        writer.WriteString("mask", mask ?? "encoder: none, decoder: random");
        writer.WriteStartArray("query");
        writer.WriteNumberValue(study.Query.Row);
        writer.WriteNumberValue(study.Query.Column);
        writer.WriteEndArray();
        writer.WriteNumber("recomputation_error", study.Error);
        writer.WriteBoolean("class_token_in_distances", false);
        writer.WriteStartArray("layers");
        study.Distances.ToList().ForEach(layer => WriteLayer(writer, layer));
        writer.WriteEndArray();
        writer.WriteStartArray("pictures");
        foreach (var (path, picture) in paths.Zip(study.Pictures))
        {
            writer.WriteStartObject();
            writer.WriteString("picture", path);
            writer.WriteBoolean("query_is_hidden_in_masks", picture.QueryIsHidden);
            writer.WriteStartArray("maps");
            picture.Maps.ToList().ForEach(map => WriteMap(writer, map));
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteEndObject();
    });

    private static void WriteLayer(Utf8JsonWriter writer, AttentionDistance layer)
    {
        writer.WriteStartObject();
        writer.WriteString("layer", layer.Layer);
        JsonOutput.WriteNumber(writer, "mean_distance", layer.Mean);
        JsonOutput.WriteNumber(writer, "equal_weights_distance", layer.Uniform);
        WriteNumbers(writer, "head_distances", layer.Heads);
        writer.WriteEndObject();
    }

    private static void WriteMap(Utf8JsonWriter writer, AttentionMap map)
    {
        writer.WriteStartObject();
        writer.WriteString("layer", map.Layer);
        writer.WriteString("head", map.Head is { } head ? $"{head}" : "mean");
        writer.WriteNumber("rows", map.Rows);
        writer.WriteNumber("columns", map.Columns);
        writer.WriteNumber("query_patch", map.Query);
        writer.WriteNumber("class_weight", map.ClassWeight);
        WriteNumbers(writer, "weights", map.Weights);
        writer.WriteEndObject();
    }

    // null where there is no number
    private static void WriteNumbers(Utf8JsonWriter writer, string name, IReadOnlyList<double> values)
    {
        writer.WriteStartArray(name);
        foreach (var value in values)
        {
            if (double.IsFinite(value))
            {
                writer.WriteNumberValue(value);
            }
            else
            {
                writer.WriteNullValue();
            }
        }
        writer.WriteEndArray();
    }
}
