using System.Text.Json;
using System.Text.Json.Serialization;

namespace MimNative.Evaluation.Objects;

/// <summary>Reads COCO's <c>segmentation</c>: a list of polygons, or run lengths as a list or as COCO's text of them.</summary>
internal sealed class CocoOutlineConverter : JsonConverter<CocoOutline>
{
    public override CocoOutline? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        try
        {
            return Read(document.RootElement);
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException or KeyNotFoundException)
        {
            throw new JsonException(null, e);  // with its place in the file, which the serializer adds
        }
    }

    public override void Write(Utf8JsonWriter writer, CocoOutline value, JsonSerializerOptions options) =>
        throw new NotSupportedException("outlines are only read");

    private static CocoOutline? Read(JsonElement outline)
    {
        if (outline.ValueKind == JsonValueKind.Array)
        {
            double[][] polygons = [.. outline.EnumerateArray().Select(p => p.EnumerateArray().Select(n => n.GetDouble()).ToArray())];
            return polygons.Length == 0 ? null : new CocoOutline(polygons, null);
        }
        int[] size = [.. outline.GetProperty("size").EnumerateArray().Select(n => n.GetInt32())];
        var counts = outline.GetProperty("counts");
        return size is [var height, var width]
            ? new CocoOutline([], new RunLengths(height, width, counts.ValueKind == JsonValueKind.String
                ? RunLengths.Decode(counts.GetString()!)
                : [.. counts.EnumerateArray().Select(n => n.GetInt64())]))
            : throw new FormatException("size has two numbers");
    }
}
