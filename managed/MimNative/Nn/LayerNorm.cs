using MimNative.Runtime;

namespace MimNative.Nn;

/// <summary>
/// The residual stream between blocks: its value is <c>Stream + Branch</c>. The sum is taken by the LayerNorm that reads it, in
/// the same pass; the branch is absent where nothing is to be added.
/// </summary>
/// <param name="Stream">(R, C).</param>
/// <param name="Branch">(R, C), or absent.</param>
public readonly record struct Residual(Tensor Stream, Tensor Branch);

/// <summary>LayerNorm over the last axis, with the residual addition before it.</summary>
public sealed class LayerNorm
{
    private readonly Parameter _gamma;
    private readonly Parameter _beta;
    private readonly float _eps;

    /// <summary>A layer that begins as plain normalisation.</summary>
    public LayerNorm(ParameterScope scope, long channels, float eps)
    {
        _gamma = scope.Add("weight", Initializer.Ones, trainable: true, channels);
        _beta = scope.Add("bias", Initializer.Zeros, trainable: true, channels);
        _eps = eps;
    }

    /// <summary>LayerNorm(x.Stream + x.Branch), a temporary tensor; the sum is <c>saved.Sum</c>, where the residual stream goes on.</summary>
    public Tensor Forward(Residual x, Step step, out Saved saved)
    {
        var y = Ops.LayerNorm(
            x.Stream, x.Branch, _gamma.Value, _beta.Value, _eps, step, out var sum, out var mean, out var rstd);
        saved = new Saved(sum, mean, rstd);
        return y;
    }

    /// <summary>What Forward returned, made again from what it saved; temporary.</summary>
    public Tensor Again(in Saved saved, Step step) =>
        Ops.LayerNormAgain(saved.Sum, saved.Mean, saved.Rstd, _gamma.Value, _beta.Value, step);

    /// <summary>
    /// The gradient of the sum, which is that of Stream and of Branch alike. <paramref name="dsum"/> is what reaches the sum by the
    /// stream that goes on, and is overwritten with the result; absent where nothing does.
    /// </summary>
    public Tensor Backward(Tensor dy, Tensor dsum, in Saved saved, Step step) =>
        Ops.LayerNormBackward(
            dy, dsum, saved.Sum, saved.Mean, saved.Rstd, _gamma.Value, _gamma.Grad, _beta.Grad, step);

    /// <summary>What Backward needs from Forward.</summary>
    public readonly record struct Saved(Tensor Sum, Tensor Mean, Tensor Rstd);
}
