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

    /// <summary>x: (B T, C), the tokens of B images.</summary>
    /// <param name="x">The stream; what it adds up to is kept.</param>
    /// <param name="batch">Images.</param>
    /// <param name="context">Positions.</param>
    /// <param name="dropPath">(2, B) or absent.</param>
    /// <param name="asked">The patches whose tokens are wanted.</param>
    /// <param name="branch">(B T, C), or (B M, C) with asked: where the perceptron's branch is written. It may be x's branch.</param>
    /// <param name="step">The step.</param>
    /// <param name="saved">What Backward needs.</param>
    public Residual Forward(
        Residual x, long batch, in BlockContext context, Tensor dropPath, in Asked asked, Tensor branch, Step step, out Saved saved)
    {
        ArgumentNullException.ThrowIfNull(step);
        using var temporaries = step.Temporaries();
        var normed = _norm1.Forward(x, step, out var norm1Saved);
        var stream = norm1Saved.Sum;
        var a = step.TemporaryLike(branch);
        Attention.Saved attentionSaved;
        BranchScale.Saved scale1Saved, scale2Saved;
        Mlp.Saved mlpSaved;
        using (step.Temporaries(all: step.Recompute))
        {
            var input = _scale1.Input(a, step);
            attentionSaved = _attention.Forward(input, normed, batch, context, asked, step);
            scale1Saved = _scale1.Forward(a, input, dropPath, 0, step);
        }
        if (!asked.IsAll)
        {
            stream = asked.Rows(stream.Reshape(batch, -1, stream[1]), step);
        }
        var normed2 = _norm2.Forward(new Residual(stream, a), step, out var norm2Saved);
        using (step.Temporaries(all: step.Recompute))
        {
            var input = _scale2.Input(branch, step);
            mlpSaved = _mlp.Forward(input, normed2, step);
            scale2Saved = _scale2.Forward(branch, input, dropPath, 1, step);
        }
        saved = new Saved(norm1Saved, attentionSaved, scale1Saved, norm2Saved, mlpSaved, scale2Saved);
        return new Residual(norm2Saved.Sum, branch);
    }

    /// <summary>
    /// The gradient of x's sum from the gradient of z, which it overwrites; the context is forward's.
    /// </summary>
    public Tensor Backward(Tensor dz, in Saved saved, in BlockContext context, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        Tensor dy;
        using (step.Temporaries(all: true))
        {
            var (mlp, scale2) = MlpSaved(_norm2.Again(saved.Norm2, step), saved, step);
            var dNormed2 = _mlp.Backward(_scale2.Backward(dz, scale2, step), mlp, step);
            dy = _norm2.Backward(dNormed2, dz, saved.Norm2, step);
        }
        var asked = saved.Attention.Asked;
        var dstream = asked.IsAll ? dy : asked.RowsBackward(dy, saved.Attention.Y[1], step);
        using (step.Temporaries(all: true))
        {
            var (attention, scale1) = AttentionSaved(_norm1.Again(saved.Norm1, step), saved, context, step);
            var dNormed = _attention.Backward(_scale1.Backward(dy, scale1, step), attention, context, step);
            return _norm1.Backward(dNormed, dstream, saved.Norm1, step);
        }
    }

    // What forward saved, or, where it only lent it memory (Step.Recompute), the same made again. Extents outlive the numbers.
    private (Mlp.Saved Mlp, BranchScale.Saved Scale) MlpSaved(Tensor normed, in Saved saved, Step step)
    {
        if (!step.Recompute)
        {
            return (saved.Mlp with { X = normed }, saved.Scale2);
        }
        if (!_scale2.KeepsBranch)
        {
            return (_mlp.Again(normed, step), saved.Scale2);
        }
        var branch = step.EmptyLike(normed);
        return (_mlp.Forward(branch, normed, step), saved.Scale2 with { X = branch });
    }

    private (Attention.Saved Attention, BranchScale.Saved Scale) AttentionSaved(
        Tensor normed, in Saved saved, in BlockContext context, Step step)
    {
        if (!step.Recompute)
        {
            return (saved.Attention.With(normed), saved.Scale1);
        }
        var (batch, asked) = (saved.Attention.Y[0], saved.Attention.Asked);
        if (!_scale1.KeepsBranch)
        {
            return (_attention.Attend(normed, batch, context, asked, step), saved.Scale1);
        }
        var branch = step.EmptyLike(saved.Scale1.X);
        return (_attention.Forward(branch, normed, batch, context, asked, step), saved.Scale1 with { X = branch });
    }

    /// <summary>
    /// What Backward needs from Forward: the whole memory cost of a block, 10 C for a token (two sums, queries, keys, values, the
    /// attention's answer, the perceptron's 4 C), and 2 C more with LayerScale. What a LayerNorm or the GELU returned is made again.
    /// With <see cref="Step.Recompute"/> the two sums alone are kept, 2 C.
    /// </summary>
    public readonly record struct Saved(
        LayerNorm.Saved Norm1, Attention.Saved Attention, BranchScale.Saved Scale1, LayerNorm.Saved Norm2, Mlp.Saved Mlp,
        BranchScale.Saved Scale2);
}
