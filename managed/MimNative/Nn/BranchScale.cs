using MimNative.Runtime;

namespace MimNative.Nn;

/// <summary>
/// What a residual branch is multiplied with: a learned factor per channel (LayerScale, Touvron et al. 2021) and a random one per sample
/// (stochastic depth). Without either it does nothing and costs nothing.
/// </summary>
public sealed class BranchScale
{
    private readonly Parameter? _gamma;

    /// <summary>Factors that begin as <paramref name="initial"/>; none where that is 0.</summary>
    public BranchScale(ParameterScope scope, string name, long channels, double initial) =>
        _gamma = initial == 0 ? null : scope.Add(name, new Initializer.Constant((float)initial), trainable: true, channels);

    /// <summary>Whether Backward needs the branch as it was.</summary>
    public bool KeepsBranch => _gamma is not null;

    /// <summary>
    /// Where the branch is to be computed, given where it shall end: there, but for LayerScale, whose factors' gradient needs the
    /// branch as it was.
    /// </summary>
    public Tensor Input(Tensor y, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        return _gamma is null ? y : step.EmptyLike(y);
    }

    /// <summary>y = x scaled: (B T, C); x may be y. dropPath: (2, B), of which the branch has a row, or absent.</summary>
    public Saved Forward(Tensor y, Tensor x, Tensor dropPath, int branch, Step step)
    {
        var samples = dropPath.IsAbsent ? Tensor.None : dropPath.At(0, branch);
        if (!IsNothing(samples))
        {
            Ops.LayerScale(y, x, _gamma?.Value ?? Tensor.None, samples, step);
        }
        return new Saved(_gamma is null ? Tensor.None : x, samples);
    }

    /// <summary>The gradient of x.</summary>
    public Tensor Backward(Tensor dy, in Saved saved, Step step) =>
        IsNothing(saved.Samples)
            ? dy
            : Ops.LayerScaleBackward(
                dy, saved.X, _gamma?.Value ?? Tensor.None, saved.Samples, _gamma?.Grad ?? Tensor.None, step);

    private bool IsNothing(Tensor samples) => _gamma is null && samples.IsAbsent;

    /// <summary>What Backward needs from Forward.</summary>
    public readonly record struct Saved(Tensor X, Tensor Samples);
}
