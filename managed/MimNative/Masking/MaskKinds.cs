using System.Text.Json.Serialization;

namespace MimNative.Masking;

/// <summary>The rule that says which patches are hidden.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<MaskKind>))]
public enum MaskKind
{
    /// <summary>Each mask patch for itself, at random.</summary>
    [JsonStringEnumMemberName("random")] Random,

    /// <summary>One rectangle at a random place (SimMIM, section 3.2: central region, moved at random).</summary>
    [JsonStringEnumMemberName("square")] Square,

    /// <summary>Rectangles of random size and shape until the ratio is reached (BEiT, algorithm 1).</summary>
    [JsonStringEnumMemberName("block")] Block,
}

/// <summary>What stands in place of a hidden patch.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<MaskTokenKind>))]
public enum MaskTokenKind
{
    /// <summary>A learned token.</summary>
    [JsonStringEnumMemberName("learned")] Learned,

    /// <summary>Zeros.</summary>
    [JsonStringEnumMemberName("zeros")] Zeros,
}
