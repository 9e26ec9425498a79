using MimNative.Runtime;

namespace MimNative.Nn;

/// <summary>
/// A pre-norm transformer block (Dosovitskiy et al. 2021, equations 2 and 3):
/// y = x + attention(LN1 x); z = y + mlp(LN2 y). Each sum is taken by the LayerNorm behind it, z's by the next block's. A branch may
/// be scaled, by a learned factor per channel (LayerScale) and one per sample (stochastic depth).
/// </summary>
public sealed class TransformerBlock
{
    private readonly LayerNorm _norm1;
    private readonly Attention _attention;
    private readonly LayerNorm _norm2;
    private readonly Mlp _mlp;
    private readonly BranchScale _scale1;
    private readonly BranchScale _scale2;

    /// <summary>A block.</summary>
    public TransformerBlock(ParameterScope scope, BlockSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var dim = settings.Dim;
        _scale1 = new BranchScale(scope, "gamma_1", dim, settings.LayerScale);
        _scale2 = new BranchScale(scope, "gamma_2", dim, settings.LayerScale);
        _norm1 = new LayerNorm(scope["norm1"], dim, settings.Eps);
        _attention = new Attention(scope["attn"], settings);
        _norm2 = new LayerNorm(scope["norm2"], dim, settings.Eps);
        _mlp = new Mlp(scope["mlp"], dim, (long)(dim * settings.MlpRatio), settings.Init, settings.InitLast);
    }

    /// <summary>x: (B T, C), the tokens of B images; dropPath: (2, B) or absent.</summary>
    public Residual Forward(
        Residual x, long batch, in BlockContext context, Tensor dropPath, Step step, out Saved saved)
    {
        var normed = _norm1.Forward(x, step, out var norm1Saved);
        var a = _attention.Forward(normed, batch, context, step, out var attentionSaved);
        var scaled = _scale1.Forward(a, dropPath, 0, step, out var scale1Saved);
        var normed2 = _norm2.Forward(new Residual(norm1Saved.Sum, scaled), step, out var norm2Saved);
        var m = _mlp.Forward(normed2, step, out var mlpSaved);
        var scaled2 = _scale2.Forward(m, dropPath, 1, step, out var scale2Saved);
        saved = new Saved(norm1Saved, attentionSaved, scale1Saved, norm2Saved, mlpSaved, scale2Saved);
        return new Residual(norm2Saved.Sum, scaled2);
    }

    /// <summary>The gradient of x's sum from the gradient of z; the context is forward's.</summary>
    public Tensor Backward(Tensor dz, in Saved saved, in BlockContext context, Step step)
    {
        var dm = _scale2.Backward(dz, saved.Scale2, step);
        var dNormed2 = _mlp.Backward(dm, saved.Mlp, step);
        var dy = _norm2.Backward(dNormed2, dz, saved.Norm2, step);
        var da = _scale1.Backward(dy, saved.Scale1, step);
        var dNormed = _attention.Backward(da, saved.Attention, context, step);
        return _norm1.Backward(dNormed, dy, saved.Norm1, step);
    }

    /// <summary>What Backward needs from Forward: the whole memory cost of a block.</summary>
    public readonly record struct Saved(
        LayerNorm.Saved Norm1, Attention.Saved Attention, BranchScale.Saved Scale1, LayerNorm.Saved Norm2, Mlp.Saved Mlp,
        BranchScale.Saved Scale2);
}
