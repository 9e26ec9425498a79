using MimNative.Masking;
using MimNative.Nn;

namespace MimNative.Recipes;

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

    /// <summary>vit: width of a token; swin: in the first stage, doubled by each further one.</summary>
    public int Dim { get; init; } = 768;

    /// <summary>vit: number of blocks.</summary>
    public int Depth { get; init; } = 12;

    /// <summary>vit, conv_vit: attention heads of a block.</summary>
    public int Heads { get; init; } = 12;

    /// <summary>Width of a block's hidden layer, as a multiple of dim.</summary>
    public double MlpRatio { get; init; } = 4;

    /// <summary>conv_vit: width of a token in each of its three stages.</summary>
    public IReadOnlyList<int> Dims { get; init; } = [256, 384, 768];

    /// <summary>swin: blocks of each stage, as many stages as you like; conv_vit: of its three.</summary>
    public IReadOnlyList<int> Depths { get; init; } = [2, 2, 18, 2];

    /// <summary>swin: attention heads of each stage.</summary>
    public IReadOnlyList<int> StageHeads { get; init; } = [4, 8, 16, 32];

    /// <summary>swin: side of an attention window in tokens; clamped to the grid where the grid is smaller.</summary>
    public int Window { get; init; } = 6;

    /// <summary>swin: whether patches pass a LayerNorm before anything is added to them.</summary>
    public bool PatchNorm { get; init; } = true;

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

    /// <summary>
    /// mae: side in patches of the squares that are one token of the decoder, whose blocks then cost less (LSMAE); 1 for a token each.
    /// </summary>
    public int Downsampling { get; init; } = 1;

    /// <summary>mae: side in patches of what is predicted as one patch (LSMAE): 1, or that of decoder.downsampling.</summary>
    public int PredictionDownsampling { get; init; } = 1;

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

    /// <summary>mae: side in patches of the squares that are hidden or seen together (LSMAE); 1 for a patch each.</summary>
    public int Downsampling { get; init; } = 1;

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
