using System.Text.Json.Serialization;

namespace MimNative.Recipes;

/// <summary>The methods of masked image modelling.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<MethodKind>))]
public enum MethodKind
{
    /// <summary>Masked autoencoder (He et al. 2021): the encoder sees only the visible patches.</summary>
    [JsonStringEnumMemberName("mae")] Mae,
}

/// <summary>The encoders.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<EncoderKind>))]
public enum EncoderKind
{
    /// <summary>Vision transformer (Dosovitskiy et al. 2020).</summary>
    [JsonStringEnumMemberName("vit")] Vit,
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
    /// <summary>Linear warm-up, then half a cosine, per iteration.</summary>
    [JsonStringEnumMemberName("cosine")] Cosine,
}
