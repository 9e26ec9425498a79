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

    /// <summary>x: (B T, C); dropPath: (2, B), of which the branch has a row, or absent.</summary>
    public Tensor Forward(Tensor x, Tensor dropPath, int branch, Step step, out Saved saved)
    {
        var samples = dropPath.IsAbsent ? Tensor.None : dropPath.At(0, branch);
        saved = new Saved(x, samples);
        return IsNothing(samples) ? x : Ops.LayerScale(x, _gamma?.Value ?? Tensor.None, samples, step);
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
