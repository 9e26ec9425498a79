using MimNative.Masking;
using MimNative.Nn;
using MimNative.Runtime;

namespace MimNative.Encoders;

/// <summary>Sizes and kinds of a plain vision transformer; the defaults are MAE's.</summary>
/// <param name="Grid">How images are cut into patches.</param>
/// <param name="Dim">Channels of a token; divisible by the heads, and by 4 with sine-cosine positions.</param>
/// <param name="Depth">Blocks.</param>
/// <param name="Heads">Heads of a block.</param>
/// <param name="MlpRatio">Hidden channels of the perceptron, as a multiple of Dim.</param>
/// <param name="Eps">Of every LayerNorm.</param>
public sealed record VitSettings(
    PatchGrid Grid, int Dim, int Depth, int Heads, double MlpRatio = 4, float Eps = 1e-6f)
{
    /// <summary>What is added to the tokens.</summary>
    public PositionKind Position { get; init; } = PositionKind.SinCos;

    /// <summary>What attention knows of offsets.</summary>
    public RelativePositionKind RelativePosition { get; init; } = RelativePositionKind.None;

    /// <summary>The grid whose tokens attend to each other where it is not the whole image: LoMaR's window.</summary>
    public (int Rows, int Columns)? Window { get; init; }

    /// <summary>What stands in place of a hidden patch; absent where hidden patches are left out.</summary>
    public MaskTokenKind? MaskToken { get; init; }

    /// <summary>Whether the keys' projection has a bias.</summary>
    public bool KeyBias { get; init; } = true;

    /// <summary>Initial LayerScale; 0 for none.</summary>
    public double LayerScale { get; init; }

    /// <summary>Stochastic depth of the last block.</summary>
    public double DropPath { get; init; }

    /// <summary>Whether weights begin as in SimMIM: normal, the last layers of branches smaller with depth. Otherwise Xavier.</summary>
    public bool NormalInit { get; init; }
}

/// <summary>Which tokens a vision transformer is given; what is absent plays no part.</summary>
/// <param name="Ids">(B, K) i32: the patches that are embedded; absent for all, in order.</param>
/// <param name="Mask">(R, T) f32: tokens that are replaced by the mask token.</param>
/// <param name="IdsRestore">(R, T) i32: the places of the embedded tokens, mask tokens everywhere else.</param>
/// <param name="Sequences">Sequences of an image that are encoded each for itself, R = B * Sequences: LoMaR's windows.</param>
/// <param name="Asked">(R, M) i32: the places, class token not counted, whose tokens are wanted; absent for all with the class token.</param>
public readonly record struct VitTokens(Tensor Ids, Tensor Mask, Tensor IdsRestore, int Sequences = 1, Tensor Asked = default);
