using System.Text.Json.Serialization;

namespace MimNative.Recipes;

/// <summary>The methods of masked image modelling.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<MethodKind>))]
public enum MethodKind
{
    /// <summary>Masked autoencoder (He et al. 2022): the encoder sees only the visible patches.</summary>
    [JsonStringEnumMemberName("mae")] Mae,

    /// <summary>SimMIM (Xie et al. 2022): the encoder sees mask tokens in place of the hidden patches; a light head predicts.</summary>
    [JsonStringEnumMemberName("simmim")] SimMim,

    /// <summary>LoMaR (Chen et al. 2022): masked reconstruction inside small windows at random places.</summary>
    [JsonStringEnumMemberName("lomar")] LoMaR,
}

/// <summary>The encoders.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<EncoderKind>))]
public enum EncoderKind
{
    /// <summary>Vision transformer (Dosovitskiy et al. 2021).</summary>
    [JsonStringEnumMemberName("vit")] Vit,

    /// <summary>Swin transformer (Liu et al. 2021): attention in shifted windows, resolution halved from stage to stage.</summary>
    [JsonStringEnumMemberName("swin")] Swin,

    /// <summary>ConvMAE's (Gao et al. 2022): two stages of masked convolutions, then a vision transformer.</summary>
    [JsonStringEnumMemberName("conv_vit")] ConvVit,
}

/// <summary>The network behind the encoder.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DecoderKind>))]
public enum DecoderKind
{
    /// <summary>A light transformer over visible and mask tokens (MAE, section 3).</summary>
    [JsonStringEnumMemberName("mae")] Mae,

    /// <summary>One linear layer (SimMIM, section 3.3).</summary>
    [JsonStringEnumMemberName("linear")] Linear,

    /// <summary>Two linear layers with a GELU between them.</summary>
    [JsonStringEnumMemberName("mlp")] Mlp,

    /// <summary>A Swin transformer run backwards, from the encoder's resolution up to finer patches (SimMIM, section 4.2).</summary>
    [JsonStringEnumMemberName("inverse_swin")] InverseSwin,
}

/// <summary>What the method has to predict.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<TargetKind>))]
public enum TargetKind
{
    /// <summary>Each patch with its own mean and deviation removed (MAE, section 4.1).</summary>
    [JsonStringEnumMemberName("normalized_pixels")] NormalizedPixels,

    /// <summary>The patch as the encoder would see it.</summary>
    [JsonStringEnumMemberName("raw_pixels")] RawPixels,
}

/// <summary>Which pixels the loss counts.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<LossPixels>))]
public enum LossPixels
{
    /// <summary>The hidden ones.</summary>
    [JsonStringEnumMemberName("masked")] Masked,

    /// <summary>All: reconstruction instead of prediction (SimMIM, table 5).</summary>
    [JsonStringEnumMemberName("all")] All,
}

/// <summary>How an image becomes the encoder's input size.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<TransformKind>))]
public enum TransformKind
{
    /// <summary>Random resized crop: a random box, resized.</summary>
    [JsonStringEnumMemberName("rrc")] RandomResizedCrop,

    /// <summary>Simple resized crop: shorter side resized, edges reflected, random crop.</summary>
    [JsonStringEnumMemberName("src")] SimpleResizedCrop,

    /// <summary>Centre crop: shorter side resized, the middle.</summary>
    [JsonStringEnumMemberName("cc")] CenterCrop,
}

/// <summary>How the learning rate moves.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ScheduleKind>))]
public enum ScheduleKind
{
    /// <summary>Linear warm-up, then half a cosine over the rest, per iteration (MAE).</summary>
    [JsonStringEnumMemberName("cosine")] Cosine,

    /// <summary>timm's: the cosine runs over the whole length, its first part replaced by the warm-up (SimMIM).</summary>
    [JsonStringEnumMemberName("timm_cosine")] TimmCosine,

    /// <summary>Linear warm-up, then constant, multiplied by gamma at each milestone (SimMIM).</summary>
    [JsonStringEnumMemberName("multistep")] MultiStep,
}

/// <summary>The numbers that a run computes with.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Precision>))]
public enum Precision
{
    /// <summary>bf16 where the device multiplies it in hardware when the run begins, f32 elsewhere.</summary>
    [JsonStringEnumMemberName("auto")] Auto,

    /// <summary>32-bit floats.</summary>
    [JsonStringEnumMemberName("f32")] F32,

    /// <summary>bfloat16: eight bits of mantissa with the range of f32.</summary>
    [JsonStringEnumMemberName("bf16")] Bf16,
}
