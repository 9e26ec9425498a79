using System.Text.Json.Serialization;
using MimNative.Runtime;

namespace MimNative.Recipes;

/// <summary>
/// Everything that decides the result of a pretraining run, apart from the images. The defaults are those
/// published for MAE with ViT-B/16; a recipe file says only what differs.
/// </summary>
public sealed partial record Recipe
{
    /// <summary>The recipe's name.</summary>
    public string Name { get; init; } = "";

    /// <summary>One sentence about it.</summary>
    public string Description { get; init; } = "";

    /// <summary>The method.</summary>
    public MethodKind Method { get; init; } = MethodKind.Mae;

    /// <summary>The encoder's input.</summary>
    public ImageRecipe Image { get; init; } = new();

    /// <summary>The network that is to be pretrained.</summary>
    public EncoderRecipe Encoder { get; init; } = new();

    /// <summary>The network that predicts, thrown away afterwards.</summary>
    public DecoderRecipe Decoder { get; init; } = new();

    /// <summary>What is hidden from the encoder.</summary>
    public MaskRecipe Mask { get; init; } = new();

    /// <summary>What is predicted.</summary>
    public TargetRecipe Target { get; init; } = new();

    /// <summary>How the error is measured.</summary>
    public LossRecipe Loss { get; init; } = new();

    /// <summary>How images are cropped and resized.</summary>
    public TransformRecipe Transform { get; init; } = new();

    /// <summary>Length, batches, optimiser.</summary>
    public TrainRecipe Train { get; init; } = new();

    /// <summary>Images that one optimiser step sees: batch * accumulation.</summary>
    public int EffectiveBatch() => Train.Batch * Train.Accumulation;

    /// <summary>
    /// The highest learning rate of the run: base_lr * batch * accumulation / lr_divisor, the linear rule of
    /// Goyal et al. 2017.
    /// </summary>
    public double EffectiveLearningRate() =>
        Train.BaseLearningRate * EffectiveBatch() / Train.LearningRateDivisor;

    /// <summary>Patches of one image: (height / patch) * (width / patch).</summary>
    public int Patches() => Image.Height / Encoder.Patch * (Image.Width / Encoder.Patch);

    /// <summary>
    /// Patches that stay visible. Upstream truncates patches * (1 - ratio) in double precision: 100 patches at 0.8
    /// keep 19, not 20.
    /// </summary>
    public int VisiblePatches() => (int)(Patches() * (1 - Mask.Ratio));
}

/// <summary>The encoder's input.</summary>
public sealed record ImageRecipe
{
    /// <summary>Height in pixels.</summary>
    public int Height { get; init; } = 224;

    /// <summary>Width in pixels.</summary>
    public int Width { get; init; } = 224;

    /// <summary>Colour channels.</summary>
    public int Channels { get; init; } = 3;

    /// <summary>Subtracted per channel from pixels in [0, 1]; the default is ImageNet's mean.</summary>
    public IReadOnlyList<double> Mean { get; init; } = [0.485, 0.456, 0.406];

    /// <summary>What is left is divided by this; the default is ImageNet's standard deviation.</summary>
    public IReadOnlyList<double> Std { get; init; } = [0.229, 0.224, 0.225];
}

/// <summary>The network that is to be pretrained.</summary>
public sealed record EncoderRecipe
{
    /// <summary>Its kind.</summary>
    public EncoderKind Kind { get; init; } = EncoderKind.Vit;

    /// <summary>Side of a square patch in pixels.</summary>
    public int Patch { get; init; } = 16;

    /// <summary>Width of a token.</summary>
    public int Dim { get; init; } = 768;

    /// <summary>Number of blocks.</summary>
    public int Depth { get; init; } = 12;

    /// <summary>Attention heads of a block.</summary>
    public int Heads { get; init; } = 12;

    /// <summary>Width of a block's hidden layer, as a multiple of dim.</summary>
    public double MlpRatio { get; init; } = 4;
}

/// <summary>The network that predicts (MAE, table 1a and 1b).</summary>
public sealed record DecoderRecipe
{
    /// <summary>Width of a token.</summary>
    public int Dim { get; init; } = 512;

    /// <summary>Number of blocks.</summary>
    public int Depth { get; init; } = 8;

    /// <summary>Attention heads of a block.</summary>
    public int Heads { get; init; } = 16;

    /// <summary>Width of a block's hidden layer, as a multiple of dim.</summary>
    public double MlpRatio { get; init; } = 4;
}

/// <summary>What is hidden from the encoder.</summary>
public sealed record MaskRecipe
{
    /// <summary>Share of the patches that is hidden.</summary>
    public double Ratio { get; init; } = 0.75;
}

/// <summary>What is predicted.</summary>
public sealed record TargetRecipe
{
    /// <summary>Its kind.</summary>
    public TargetKind Kind { get; init; } = TargetKind.NormalizedPixels;
}

/// <summary>How the error is measured, on the hidden patches only.</summary>
public sealed record LossRecipe
{
    /// <summary>Its kind.</summary>
    public LossKind Kind { get; init; } = LossKind.L2;

    /// <summary>Where smooth_l1 changes from squared to absolute; the other kinds ignore it.</summary>
    public double Beta { get; init; } = 1;
}

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

    /// <summary>The rate at the end of the run; not scaled by the batch.</summary>
    [JsonPropertyName("min_lr")]
    public double MinimumLearningRate { get; init; }

    /// <summary>Length of the linear warm-up.</summary>
    public double WarmupEpochs { get; init; } = 40;

    /// <summary>How the rate moves after it.</summary>
    public ScheduleKind Schedule { get; init; } = ScheduleKind.Cosine;

    /// <summary>AdamW's decay of matrices; vectors do not decay.</summary>
    public double WeightDecay { get; init; } = 0.05;

    /// <summary>AdamW's memory of the gradient.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>AdamW's memory of the squared gradient.</summary>
    public double Beta2 { get; init; } = 0.95;

    /// <summary>Added to AdamW's denominator.</summary>
    [JsonPropertyName("eps")]
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Largest norm of the gradient; 0 does not clip.</summary>
    public double Clip { get; init; }

    /// <summary>Seed of every random draw.</summary>
    public ulong Seed { get; init; }
}
