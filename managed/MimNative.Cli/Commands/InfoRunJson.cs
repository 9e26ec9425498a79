using System.Text.Json;
using MimNative.Cli.Terminal;
using MimNative.Training;

namespace MimNative.Cli.Commands;

/// <summary><c>mim info RUN --json</c>: the same for programs. What is not known is null.</summary>
internal static class InfoRunJson
{
    public static void Show(Shell shell, RunSummary run) => JsonOutput.Print(shell, writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("folder", run.Folder.Path);
        Strings(writer, "checkpoints", run.Checkpoints.Select(c => c.Checkpoint.Folder));
        writer.WriteNumber("step", run.State?.Step ?? 0);
        writer.WriteNumber("epoch", run.State?.Epoch ?? 0);
        Progress(writer, run);
        Metrics(writer, run);
        Contents(writer, run);
        Differences(writer, run);
        Strings(writer, "warnings", run.Recipe.Warnings());
        Strings(writer, "problems", run.Problems);
        writer.WritePropertyName("recipe");
        writer.WriteRawValue(run.Recipe.ToJson());
        writer.WriteEndObject();
    });

    private static void Progress(Utf8JsonWriter writer, RunSummary run)
    {
        writer.WriteNumber("steps_done", run.Steps);
        Number(writer, "steps_per_epoch", run.StepsPerEpoch);
        Number(writer, "total_steps", run.TotalSteps);
        writer.WriteNumber("epochs", run.Recipe.Train.Epochs);
        Number(writer, "images_seen", run.State?.SamplesSeen);
        writer.WriteBoolean("is_training", run.IsTraining);
        writer.WriteBoolean("is_done", run.IsDone);
    }

    private static void Metrics(Utf8JsonWriter writer, RunSummary run)
    {
        var metrics = run.Metrics;
        writer.WriteStartObject("loss");
        writer.WriteNumber("steps", metrics.Steps);
        JsonOutput.WriteNumber(writer, "first", metrics.FirstLoss);
        JsonOutput.WriteNumber(writer, "last", metrics.LastLoss);
        writer.WriteStartArray("course");
        foreach (var mean in metrics.Course)
        {
            if (double.IsFinite(mean))
            {
                writer.WriteNumberValue(mean);
            }
            else
            {
                writer.WriteNullValue();
            }
        }
        writer.WriteEndArray();
        writer.WriteEndObject();
        JsonOutput.WriteNumber(writer, "images_per_second", metrics.ImagesPerSecond);
        JsonOutput.WriteNumber(writer, "images_per_second_lately", metrics.ImagesPerSecondLately);
        JsonOutput.WriteNumber(writer, "seconds", metrics.Seconds);
        JsonOutput.WriteNumber(writer, "seconds_left", run.SecondsLeft);
    }

    private static void Contents(Utf8JsonWriter writer, RunSummary run)
    {
        writer.WriteString("method", run.Recipe.Text("method"));
        writer.WriteString("encoder", run.Recipe.Text("encoder.kind"));
        writer.WriteNumber("parameters", run.Parameters);
        writer.WriteNumber("encoder_parameters", run.EncoderParameters);
        writer.WriteString("data", run.DataPath);
        Number(writer, "images", run.Images);
        writer.WriteString("device", run.State?.Device);
        writer.WriteString("precision", run.State?.Precision.ToString().ToLowerInvariant());
        writer.WriteStartArray("saved");
        foreach (var (checkpoint, bytes) in run.Checkpoints)
        {
            writer.WriteStartObject();
            writer.WriteNumber("step", checkpoint.Step);
            writer.WriteString("folder", checkpoint.Folder);
            writer.WriteNumber("bytes", bytes);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteNumber("skipped", run.SkippedCount);
        Strings(writer, "first_skipped", run.Skipped);
    }

    private static void Differences(Utf8JsonWriter writer, RunSummary run)
    {
        var from = run.Recipe.Base();
        writer.WriteString("recipe_base", from.Name);
        writer.WriteStartArray("differences");
        foreach (var difference in run.Recipe.Differences(from))
        {
            writer.WriteStartObject();
            writer.WriteString("key", difference.Key);
            writer.WritePropertyName("value");
            writer.WriteRawValue(difference.Value);
            writer.WritePropertyName("default");
            writer.WriteRawValue(difference.Default);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    private static void Number(Utf8JsonWriter writer, string name, long? value)
    {
        if (value is { } known)
        {
            writer.WriteNumber(name, known);
        }
        else
        {
            writer.WriteNull(name);
        }
    }

    private static void Strings(Utf8JsonWriter writer, string name, IEnumerable<string> values)
    {
        writer.WriteStartArray(name);
        foreach (var value in values)
        {
            writer.WriteStringValue(value);
        }
        writer.WriteEndArray();
    }
}
