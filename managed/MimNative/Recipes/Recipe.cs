using System.Text.Json.Serialization;
using MimNative.Masking;
using MimNative.Nn;
using MimNative.Runtime;

namespace MimNative.Recipes;

/// <summary>
/// Everything that decides the result of a pretraining run, apart from the images. The defaults below are those
/// published for MAE with ViT-B/16; other methods begin with theirs (<see cref="DefaultsOf"/>). A recipe file says
/// only what differs.
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
    public double EffectiveLearningRate() => Scaled(Train.BaseLearningRate);

    /// <summary>The rate at the end of the run: min_lr, in SimMIM's schedules scaled like base_lr.</summary>
    public double EffectiveMinimumLearningRate() =>
        Train.Schedule == ScheduleKind.Cosine ? Train.MinimumLearningRate : Scaled(Train.MinimumLearningRate);

    /// <summary>The rate that the warm-up begins with: warmup_lr, in SimMIM's schedules scaled like base_lr.</summary>
    public double EffectiveWarmupLearningRate() =>
        Train.Schedule == ScheduleKind.Cosine ? Train.WarmupLearningRate : Scaled(Train.WarmupLearningRate);

    /// <summary>Patches of one image: (height / patch) * (width / patch).</summary>
    public int Patches() => Image.Height / Encoder.Patch * (Image.Width / Encoder.Patch);

    /// <summary>Pixels between two tokens that leave the encoder: its patch, doubled by each stage of a Swin transformer.</summary>
    public int Stride() =>
        Encoder.Kind == EncoderKind.Swin ? Encoder.Patch << (Encoder.Depths.Count - 1) : Encoder.Patch;

    /// <summary>Width of a token that leaves the encoder.</summary>
    public int OutputDim() =>
        Encoder.Kind == EncoderKind.Swin ? Encoder.Dim << (Encoder.Depths.Count - 1) : Encoder.Dim;

    private double Scaled(double rate) => rate * EffectiveBatch() / Train.LearningRateDivisor;
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

    /// <summary>Width of a token; of Swin: in the first stage, doubled by each further one.</summary>
    public int Dim { get; init; } = 768;

    /// <summary>vit: number of blocks.</summary>
    public int Depth { get; init; } = 12;

    /// <summary>vit: attention heads of a block.</summary>
    public int Heads { get; init; } = 12;

    /// <summary>Width of a block's hidden layer, as a multiple of dim.</summary>
    public double MlpRatio { get; init; } = 4;

    /// <summary>swin: blocks of each stage, as many stages as you like.</summary>
    public IReadOnlyList<int> Depths { get; init; } = [2, 2, 18, 2];

    /// <summary>swin: attention heads of each stage.</summary>
    public IReadOnlyList<int> StageHeads { get; init; } = [4, 8, 16, 32];

    /// <summary>swin: side of an attention window in tokens; clamped to the grid where the grid is smaller.</summary>
    public int Window { get; init; } = 6;

    /// <summary>What is added to the tokens.</summary>
    public PositionKind Position { get; init; } = PositionKind.SinCos;

    /// <summary>What attention knows of offsets.</summary>
    public RelativePositionKind RelativePosition { get; init; } = RelativePositionKind.None;

    /// <summary>Whether the keys' projection has a bias beside those of queries and values.</summary>
    public bool KeyBias { get; init; } = true;

    /// <summary>Initial LayerScale of both branches of a block (Touvron et al. 2021); 0 for none.</summary>
    public double LayerScale { get; init; }

    /// <summary>Stochastic depth (Huang et al. 2016): share of samples that the last block skips; rises from 0 at the first.</summary>
    public double DropPath { get; init; }
}

/// <summary>The network that predicts.</summary>
public sealed record DecoderRecipe
{
    /// <summary>Its kind.</summary>
    public DecoderKind Kind { get; init; } = DecoderKind.Mae;

    /// <summary>mae: width of a token (MAE, table 1b).</summary>
    public int Dim { get; init; } = 512;

    /// <summary>mae: number of blocks (MAE, table 1a).</summary>
    public int Depth { get; init; } = 8;

    /// <summary>mae: attention heads of a block; inverse_swin: of its first stage, halved by each further one.</summary>
    public int Heads { get; init; } = 16;

    /// <summary>mae, inverse_swin: width of a block's hidden layer, as a multiple of dim.</summary>
    public double MlpRatio { get; init; } = 4;

    /// <summary>inverse_swin: blocks of each stage, from the encoder's resolution upwards.</summary>
    public IReadOnlyList<int> Depths { get; init; } = [2, 18, 2, 2];

    /// <summary>inverse_swin: side of an attention window in tokens.</summary>
    public int Window { get; init; } = 6;
}

/// <summary>What is hidden from the encoder.</summary>
public sealed record MaskRecipe
{
    /// <summary>Share of the patches that is hidden; of LoMaR: inside each window.</summary>
    public double Ratio { get; init; } = 0.75;

    /// <summary>simmim: the rule.</summary>
    public MaskKind Kind { get; init; } = MaskKind.Random;

    /// <summary>simmim: side in pixels of the squares that are hidden as a whole; a multiple of encoder.patch.</summary>
    public int Patch { get; init; } = 32;

    /// <summary>lomar: windows of an image.</summary>
    public int Windows { get; init; } = 4;

    /// <summary>lomar: side of a window in patches.</summary>
    public int Window { get; init; } = 7;

    /// <summary>lomar: whether all images of a batch have their windows in the same places, as upstream draws them.</summary>
    public bool SharedWindows { get; init; } = true;

    /// <summary>lomar: what stands in place of a hidden patch.</summary>
    public MaskTokenKind Token { get; init; } = MaskTokenKind.Learned;
}

/// <summary>What is predicted.</summary>
public sealed record TargetRecipe
{
    /// <summary>Its kind.</summary>
    public TargetKind Kind { get; init; } = TargetKind.NormalizedPixels;

    /// <summary>
    /// Bandwidth of PixMIM's low-pass filter in frequency bins, before the normalisation of patches: 40 there, 0 for no filter.
    /// </summary>
    public double LowPass { get; init; }

    /// <summary>Which disc of frequencies passes: upstream's, or the one that is symmetric about 0.</summary>
    public LowPassMode LowPassMode { get; init; } = LowPassMode.Exact;

    /// <summary>The target's resolution is the image's divided by this (SimMIM, section 4.3).</summary>
    public int Reduction { get; init; } = 1;
}

/// <summary>How the error is measured.</summary>
public sealed record LossRecipe
{
    /// <summary>Its kind.</summary>
    public LossKind Kind { get; init; } = LossKind.L2;

    /// <summary>Where smooth_l1 changes from squared to absolute; the other kinds ignore it.</summary>
    public double Beta { get; init; } = 1;

    /// <summary>simmim: which pixels count. The other methods count the hidden ones.</summary>
    public LossPixels Pixels { get; init; } = LossPixels.Masked;
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

    /// <summary>Seed of every random draw.</summary>
    public ulong Seed { get; init; }
}
