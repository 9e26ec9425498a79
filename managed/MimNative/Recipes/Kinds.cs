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

/// <summary>The error between prediction and target.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<LossKind>))]
public enum LossKind
{
    /// <summary>Squared error.</summary>
    [JsonStringEnumMemberName("l2")] L2,

    /// <summary>Absolute error.</summary>
    [JsonStringEnumMemberName("l1")] L1,

    /// <summary>Squared below beta, absolute above.</summary>
    [JsonStringEnumMemberName("smooth_l1")] SmoothL1,
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

/// <summary>How an image is resampled; both are antialiased when it gets smaller.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Interpolation>))]
public enum Interpolation
{
    /// <summary>Cubic convolution with a = -0.5.</summary>
    [JsonStringEnumMemberName("bicubic")] Bicubic,

    /// <summary>Linear in both directions.</summary>
    [JsonStringEnumMemberName("bilinear")] Bilinear,
}

/// <summary>How the learning rate moves.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ScheduleKind>))]
public enum ScheduleKind
{
    /// <summary>Linear warm-up, then half a cosine, per iteration.</summary>
    [JsonStringEnumMemberName("cosine")] Cosine,
}
