using MimNative.Runtime;

namespace MimNative.Nn;

/// <summary>
/// Patch merging inverted: LN(C), a linear layer to 2 C channels without bias, and each token becomes 2 x 2 tokens of C / 2 channels.
/// </summary>
public sealed class PatchSplitting
{
    private readonly LayerNorm _norm;
    private readonly Linear _expansion;
    private readonly TokenOrder _inverse;
    private readonly long _dim;

    /// <summary>For a grid of tokens of <paramref name="dim"/> channels, an even number.</summary>
    public PatchSplitting(ParameterScope scope, int rows, int columns, long dim, float eps)
    {
        _dim = dim;
        _norm = new LayerNorm(scope["norm"], dim, eps);
        _expansion = new Linear(scope["expansion"], dim, 2 * dim, WeightInits.Normal, bias: false);
        // The new tokens lie block by block; each place of the finer grid fetches its own.
        _inverse = new TokenOrder(new TokenBlocks(2 * rows, 2 * columns, Side: 2, ColumnsOutside: false).Places());
    }

    /// <summary>x: the tokens (B L, C) of B grids; returns (4 B L, C / 2), row-major over the finer grid.</summary>
    public Tensor Forward(Residual x, long batch, Step step, out Saved saved)
    {
        var normed = _norm.Forward(x, step, out var normSaved);
        var blocks = _expansion.Forward(normed, step, out var expansionSaved).Reshape(batch, -1, _dim / 2);
        var ids = _inverse.Ids(batch, step);
        saved = new Saved(normSaved, expansionSaved, ids);
        return Ops.GatherTokens(blocks, ids, first: 0, step).Rows();
    }

    /// <summary>The gradient of x's sum.</summary>
    public Tensor Backward(Tensor dy, in Saved saved, Step step)
    {
        var (batch, tokens) = (saved.Ids[0], saved.Ids[1]);
        var dblocks = Ops.GatherTokensBackward(dy.Reshape(batch, tokens, _dim / 2), saved.Ids, first: 0, tokens, step);
        var dNormed = _expansion.Backward(dblocks.Reshape(-1, 2 * _dim), saved.Expansion, step);
        return _norm.Backward(dNormed, Tensor.None, saved.Norm, step);
    }

    /// <summary>What Backward needs from Forward.</summary>
    public readonly record struct Saved(LayerNorm.Saved Norm, Linear.Saved Expansion, Tensor Ids);
}
