using System.Text.Json.Serialization;

namespace MimNative.Evaluation.Objects;

/// <summary>What is read of a COCO file: <c>{"images": [...], "annotations": [...]}</c>; the rest is passed over.</summary>
internal sealed record CocoFile
{
    [JsonPropertyName("images")] public CocoImage[]? Images { get; init; }

    [JsonPropertyName("annotations")] public CocoAnnotation[]? Annotations { get; init; }
}

/// <summary>A picture of a COCO file.</summary>
internal sealed record CocoImage
{
    [JsonPropertyName("id")] public required long Id { get; init; }

    [JsonPropertyName("file_name")] public required string FileName { get; init; }

    [JsonPropertyName("height")] public int? Height { get; init; }

    [JsonPropertyName("width")] public int? Width { get; init; }
}

/// <summary>An object of a COCO file.</summary>
internal sealed record CocoAnnotation
{
    [JsonPropertyName("id")] public long Id { get; init; }

    [JsonPropertyName("image_id")] public required long ImageId { get; init; }

    /// <summary>Left, top, width, height.</summary>
    [JsonPropertyName("bbox")] public double[]? Box { get; init; }

    [JsonPropertyName("segmentation"), JsonConverter(typeof(CocoOutlineConverter))] public CocoOutline? Outline { get; init; }
}

/// <summary>An object's outline: polygons of x, y, x, y, ..., or the lengths of runs of pixels outside and inside by turns.</summary>
internal sealed record CocoOutline(double[][] Polygons, RunLengths? Runs);

[JsonSerializable(typeof(CocoFile))]
internal sealed partial class CocoJson : JsonSerializerContext;
