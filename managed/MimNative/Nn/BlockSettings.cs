using MimNative.Runtime;

namespace MimNative.Nn;

/// <summary>Sizes and kinds of a transformer block.</summary>
/// <param name="Dim">Channels of a token.</param>
/// <param name="Heads">Heads; they divide Dim.</param>
/// <param name="MlpRatio">Hidden channels of the perceptron, as a multiple of Dim.</param>
/// <param name="Eps">Of both LayerNorms.</param>
public sealed record BlockSettings(long Dim, int Heads, double MlpRatio, float Eps)
{
    /// <summary>Whether the keys' projection has a bias. Without one, upstream's names are <c>q_bias</c> and <c>v_bias</c>.</summary>
    public bool KeyBias { get; init; } = true;

    /// <summary>Initial LayerScale of both branches; 0 for none.</summary>
    public double LayerScale { get; init; }

    /// <summary>Rows of a block's own table of relative position biases; 0 for none.</summary>
    public int RelativePositions { get; init; }

    /// <summary>Buckets of a block's own contextual relative position encoding; 0 for none.</summary>
    public int Buckets { get; init; }

    /// <summary>First values of the weights.</summary>
    public WeightInit Init { get; init; } = WeightInits.Xavier;

    /// <summary>First values of the last layer of each branch; absent for those of the others.</summary>
    public WeightInit? InitLast { get; init; }

    /// <summary>First values of the table of relative position biases.</summary>
    public Initializer RelativeInit { get; init; } = Initializer.Zeros;
}

/// <summary>What all blocks of a stack are given beside the tokens, the same in forward and backward.</summary>
/// <param name="Position">A bias that the blocks share; windows and their mask; buckets. All may be absent.</param>
/// <param name="DBias">Where the gradient of a shared bias is summed, zero at first; absent without one.</param>
/// <param name="RelativeIndex">(T, T) i32: rows of the blocks' own tables of relative position biases; absent without them.</param>
/// <param name="DropPath">(2 depth, B) f32: factors of each sample's branches, see <see cref="StochasticDepth"/>; absent without.</param>
public readonly record struct BlockContext(
    AttentionPosition Position, Tensor DBias, Tensor RelativeIndex, Tensor DropPath)
{
    /// <summary>Where the tokens stand, for an <see cref="IAttentionObserver"/>.</summary>
    public TokenPlaces Places { get; init; }
}
