using MimNative.Nn;

namespace MimNative.Encoders;

/// <summary>A stage of a <see cref="ConvVitEncoder"/>.</summary>
/// <param name="Patch">Side of the blocks that become one token at its entry: pixels for the first stage, tokens for the others.</param>
/// <param name="Dim">Channels of a token.</param>
/// <param name="Depth">Blocks.</param>
/// <param name="MlpRatio">Hidden channels of the perceptron, as a multiple of Dim.</param>
public sealed record ConvVitStage(int Patch, int Dim, int Depth, double MlpRatio = 4);

/// <summary>Sizes of a <see cref="ConvVitEncoder"/>; ConvMAE-B's are 4, 256, 2; 2, 384, 2; 2, 768, 11 with 12 heads.</summary>
/// <param name="Grid">How images are cut into the last stage's tokens: its patch is the product of the stages'.</param>
/// <param name="First">The first convolutional stage.</param>
/// <param name="Second">The second convolutional stage.</param>
/// <param name="Third">The transformer.</param>
/// <param name="Heads">Heads of the transformer's blocks.</param>
public sealed record ConvVitSettings(PatchGrid Grid, ConvVitStage First, ConvVitStage Second, ConvVitStage Third, int Heads)
{
    /// <summary>What is added to the transformer's tokens.</summary>
    public PositionKind Position { get; init; } = PositionKind.SinCos;

    /// <summary>Whether the keys' projections of the transformer have a bias.</summary>
    public bool KeyBias { get; init; } = true;

    /// <summary>Of the convolutional stages' LayerNorms, the patch embeddings' included.</summary>
    public float ConvEps { get; init; } = 1e-5f;

    /// <summary>Of the transformer's LayerNorms.</summary>
    public float Eps { get; init; } = 1e-6f;

    /// <summary>Throws where the stages do not make the grid.</summary>
    public void Validate()
    {
        Grid.Validate();
        if (First.Patch < 1 || Second.Patch < 1 || Third.Patch < 1 || First.Patch * Second.Patch * Third.Patch != Grid.Patch)
        {
            throw new ArgumentException(
                $"stages with patches of {First.Patch}, {Second.Patch} and {Third.Patch} do not make patches of {Grid.Patch} pixels");
        }
    }
}
