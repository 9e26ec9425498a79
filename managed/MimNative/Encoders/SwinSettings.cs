using MimNative.Nn;

namespace MimNative.Encoders;

/// <summary>Sizes of a Swin transformer.</summary>
/// <param name="Grid">How images are cut into the first stage's patches.</param>
/// <param name="Dim">Channels of a token in the first stage, doubled by each further one.</param>
/// <param name="Depths">Blocks of each stage.</param>
/// <param name="Heads">Heads of each stage.</param>
/// <param name="Window">Side of an attention window in tokens.</param>
/// <param name="MlpRatio">Hidden channels of the perceptron, as a multiple of a stage's channels.</param>
/// <param name="Eps">Of every LayerNorm.</param>
public sealed record SwinSettings(
    PatchGrid Grid, int Dim, IReadOnlyList<int> Depths, IReadOnlyList<int> Heads, int Window, double MlpRatio = 4, float Eps = 1e-5f)
{
    /// <summary>Whether patches pass a LayerNorm before anything is added to them.</summary>
    public bool PatchNorm { get; init; } = true;

    /// <summary>Whether a learned position is added to the tokens.</summary>
    public bool AbsolutePosition { get; init; }

    /// <summary>Whether attention has relative position biases.</summary>
    public bool RelativePosition { get; init; } = true;

    /// <summary>Whether the keys' projections have a bias.</summary>
    public bool KeyBias { get; init; } = true;

    /// <summary>Initial LayerScale; 0 for none.</summary>
    public double LayerScale { get; init; }

    /// <summary>Stochastic depth of the last block.</summary>
    public double DropPath { get; init; }
}
