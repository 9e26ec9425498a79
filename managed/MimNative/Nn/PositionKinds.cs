using System.Text.Json.Serialization;

namespace MimNative.Nn;

/// <summary>What is added to the tokens to say where they stand.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PositionKind>))]
public enum PositionKind
{
    /// <summary>A fixed table of sines and cosines (MAE, section A.1).</summary>
    [JsonStringEnumMemberName("sin_cos")] SinCos,

    /// <summary>A table that is learned.</summary>
    [JsonStringEnumMemberName("learned")] Learned,

    /// <summary>Nothing.</summary>
    [JsonStringEnumMemberName("none")] None,
}

/// <summary>What attention knows of the offset between two tokens.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RelativePositionKind>))]
public enum RelativePositionKind
{
    /// <summary>Nothing.</summary>
    [JsonStringEnumMemberName("none")] None,

    /// <summary>A learned bias per head and offset, a table of its own in each block (Swin, equation 4).</summary>
    [JsonStringEnumMemberName("bias")] Bias,

    /// <summary>The same with one table for all blocks (SimMIM's ViT).</summary>
    [JsonStringEnumMemberName("shared_bias")] SharedBias,

    /// <summary>Both: what a block's own table and the one of all blocks say is added.</summary>
    [JsonStringEnumMemberName("both_biases")] BothBiases,

    /// <summary>A learned vector per bucket of offsets, multiplied with the query (iRPE, product method, on keys: LoMaR).</summary>
    [JsonStringEnumMemberName("contextual")] Contextual,
}
