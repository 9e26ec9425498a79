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
    public int OutputDim() => Encoder.Kind switch
    {
        EncoderKind.Swin => Encoder.Dim << (Encoder.Depths.Count - 1),
        EncoderKind.ConvVit => Encoder.Dims[^1],
        _ => Encoder.Dim,
    };

    private double Scaled(double rate) => rate * EffectiveBatch() / Train.LearningRateDivisor;
}
