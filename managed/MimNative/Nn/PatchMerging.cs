using MimNative.Runtime;

namespace MimNative.Nn;

/// <summary>
/// Swin's step from one stage to the next (Liu et al. 2021, section 3.1): each 2 x 2 neighbours become one token, LN(4 C), then a linear
/// layer to 2 C channels without bias.
/// </summary>
public sealed class PatchMerging
{
    private readonly LayerNorm _norm;
    private readonly Linear _reduction;
    private readonly TokenOrder _order;

    /// <summary>For a grid of even sides.</summary>
    public PatchMerging(ParameterScope scope, int rows, int columns, long dim, float eps, WeightInit init)
    {
        if (rows % 2 != 0 || columns % 2 != 0)
        {
            throw new ArgumentException($"2 x 2 tokens do not tile a grid of {rows} x {columns}");
        }
        _reduction = new Linear(scope["reduction"], 4 * dim, 2 * dim, init, bias: false);
        _norm = new LayerNorm(scope["norm"], 4 * dim, eps);
        _order = new TokenOrder(new TokenBlocks(rows, columns, Side: 2, ColumnsOutside: true).Order());
    }

    /// <summary>x: the tokens (B L, C) of B grids; returns (B L / 4, 2 C).</summary>
    public Tensor Forward(Residual x, long batch, Step step, out Saved saved)
    {
        var ids = _order.Ids(batch, step);
        // Sums commute with the gathering: the LayerNorm adds the branch as everywhere else.
        var merged = new Residual(Merge(x.Stream, ids, batch, step), Merge(x.Branch, ids, batch, step));
        var normed = _norm.Forward(merged, step, out var normSaved);
        var y = _reduction.Forward(normed, step, out var reductionSaved);
        saved = new Saved(ids, normSaved, reductionSaved);
        return y;
    }

    /// <summary>The gradient of x's sum.</summary>
    public Tensor Backward(Tensor dy, in Saved saved, Step step)
    {
        var dNormed = _reduction.Backward(dy, saved.Reduction, step);
        var dMerged = _norm.Backward(dNormed, Tensor.None, saved.Norm, step);
        var (batch, tokens) = (saved.Ids[0], saved.Ids[1]);
        return Ops.GatherTokensBackward(dMerged.Reshape(batch, tokens, -1), saved.Ids, first: 0, tokens, step).Rows();
    }

    private static Tensor Merge(Tensor x, Tensor ids, long batch, Step step) =>
        x.IsAbsent ? x : Ops.GatherTokens(x.Reshape(batch, ids[1], -1), ids, first: 0, step).Reshape(-1, 4 * x[1]);

    /// <summary>What Backward needs from Forward.</summary>
    public readonly record struct Saved(Tensor Ids, LayerNorm.Saved Norm, Linear.Saved Reduction);
}
