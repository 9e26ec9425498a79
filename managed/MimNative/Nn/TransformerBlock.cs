using MimNative.Runtime;

namespace MimNative.Nn;

/// <summary>
/// A pre-norm transformer block (Dosovitskiy et al. 2021, equations 2 and 3):
/// y = x + attention(LN1 x); z = y + mlp(LN2 y). Each sum is taken by the LayerNorm behind it, z's by the next block's.
/// </summary>
public sealed class TransformerBlock
{
    private readonly LayerNorm _norm1;
    private readonly Attention _attention;
    private readonly LayerNorm _norm2;
    private readonly Mlp _mlp;

    /// <summary>A block over <paramref name="dim"/> channels.</summary>
    public TransformerBlock(ParameterScope scope, long dim, int heads, long hidden, float eps)
    {
        _norm1 = new LayerNorm(scope["norm1"], dim, eps);
        _attention = new Attention(scope["attn"], dim, heads);
        _norm2 = new LayerNorm(scope["norm2"], dim, eps);
        _mlp = new Mlp(scope["mlp"], dim, hidden);
    }

    /// <summary>x: (B T, C), the tokens of B images.</summary>
    public Residual Forward(Residual x, long batch, Step step, out Saved saved)
    {
        var normed = _norm1.Forward(x, step, out var norm1Saved);
        var a = _attention.Forward(normed, batch, step, out var attentionSaved);
        var normed2 = _norm2.Forward(new Residual(norm1Saved.Sum, a), step, out var norm2Saved);
        var m = _mlp.Forward(normed2, step, out var mlpSaved);
        saved = new Saved(norm1Saved, attentionSaved, norm2Saved, mlpSaved);
        return new Residual(norm2Saved.Sum, m);
    }

    /// <summary>The gradient of x's sum from the gradient of z.</summary>
    public Tensor Backward(Tensor dz, in Saved saved, Step step)
    {
        var dNormed2 = _mlp.Backward(dz, saved.Mlp, step);
        var dy = _norm2.Backward(dNormed2, dz, saved.Norm2, step);
        var dNormed = _attention.Backward(dy, saved.Attention, step);
        return _norm1.Backward(dNormed, dy, saved.Norm1, step);
    }

    /// <summary>What Backward needs from Forward: the whole memory cost of a block.</summary>
    public readonly record struct Saved(
        LayerNorm.Saved Norm1, Attention.Saved Attention, LayerNorm.Saved Norm2, Mlp.Saved Mlp);
}
