using System.Text.Json.Serialization;
using MimNative.Runtime;

namespace MimNative.Recipes;

/// <summary>How images are cropped and resized.</summary>
public sealed record TransformRecipe
{
    /// <summary>Its kind.</summary>
    public TransformKind Kind { get; init; } = TransformKind.RandomResizedCrop;

    /// <summary>rrc: smallest and largest share of the image's area that a crop covers.</summary>
    public IReadOnlyList<double> Scale { get; init; } = [0.2, 1];

    /// <summary>rrc: smallest and largest width / height of a crop.</summary>
    public IReadOnlyList<double> Ratio { get; init; } = [3.0 / 4, 4.0 / 3];

    /// <summary>How pixels are resampled.</summary>
    public Interpolation Interpolation { get; init; } = Interpolation.Bicubic;

    /// <summary>Probability that an image is mirrored left to right.</summary>
    public double Flip { get; init; } = 0.5;

    /// <summary>src: pixels reflected at each edge before the crop.</summary>
    public int Padding { get; init; } = 4;
}

/// <summary>Length, batches, optimiser.</summary>
public sealed record TrainRecipe
{
    /// <summary>Passes over the images.</summary>
    public int Epochs { get; init; } = 800;

    /// <summary>Images computed at once.</summary>
    public int Batch { get; init; } = 4096;

    /// <summary>Batches whose gradients are added up for one optimiser step.</summary>
    public int Accumulation { get; init; } = 1;

    /// <summary>Learning rate per lr_divisor images.</summary>
    [JsonPropertyName("base_lr")]
    public double BaseLearningRate { get; init; } = 1.5e-4;

    /// <summary>The images that base_lr is meant for.</summary>
    [JsonPropertyName("lr_divisor")]
    public double LearningRateDivisor { get; init; } = 256;

    /// <summary>
    /// cosine, timm_cosine: the rate at the end of the run. cosine takes it as it is, timm_cosine per lr_divisor images.
    /// </summary>
    [JsonPropertyName("min_lr")]
    public double MinimumLearningRate { get; init; }

    /// <summary>The rate at the beginning of the warm-up. cosine takes it as it is, the others per lr_divisor images.</summary>
    [JsonPropertyName("warmup_lr")]
    public double WarmupLearningRate { get; init; }

    /// <summary>Length of the linear warm-up.</summary>
    public double WarmupEpochs { get; init; } = 40;

    /// <summary>How the rate moves after it.</summary>
    public ScheduleKind Schedule { get; init; } = ScheduleKind.Cosine;

    /// <summary>multistep: the epochs at which the rate is multiplied by gamma.</summary>
    public IReadOnlyList<int> Milestones { get; init; } = [700];

    /// <summary>multistep: the factor.</summary>
    public double Gamma { get; init; } = 0.1;

    /// <summary>AdamW's decay of matrices; vectors do not decay.</summary>
    public double WeightDecay { get; init; } = 0.05;

    /// <summary>Parameters that do not decay although they are no vectors, by the last part of their names.</summary>
    public IReadOnlyList<string> NoDecay { get; init; } = [];

    /// <summary>AdamW's memory of the gradient.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>AdamW's memory of the squared gradient.</summary>
    public double Beta2 { get; init; } = 0.95;

    /// <summary>Added to AdamW's denominator.</summary>
    [JsonPropertyName("eps")]
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Largest norm of the gradient; 0 does not clip.</summary>
    public double Clip { get; init; }

    /// <summary>
    /// The numbers of activations, their gradients and matrix products; weights, their gradients and the optimiser are f32 in any case.
    /// </summary>
    public Precision Precision { get; init; } = Precision.Auto;

    /// <summary>Whether activations of a block are made again in its backward pass instead of being kept: less memory, more arithmetic.</summary>
    public bool Recompute { get; init; }

    /// <summary>Seed of every random draw.</summary>
    public ulong Seed { get; init; }
}
