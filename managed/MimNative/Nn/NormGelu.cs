using MimNative.Runtime;

namespace MimNative.Nn;

/// <summary>gelu(LN x): what follows the convolution of ConvMAE's patch embeddings.</summary>
public sealed class NormGelu
{
    private readonly LayerNorm _norm;

    /// <summary>Over the last axis.</summary>
    public NormGelu(ParameterScope scope, long channels, float eps) => _norm = new LayerNorm(scope, channels, eps);

    /// <summary>x: (R, C).</summary>
    public Tensor Forward(Tensor x, Step step, out Saved saved)
    {
        ArgumentNullException.ThrowIfNull(step);
        using var temporaries = step.Temporaries();
        var y = Ops.Gelu(_norm.Forward(new Residual(x, Tensor.None), step, out var norm), step);
        saved = new Saved(norm);
        return y;
    }

    /// <summary>The gradient of x.</summary>
    public Tensor Backward(Tensor dy, in Saved saved, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        using var temporaries = step.Temporaries();
        return _norm.Backward(Ops.GeluBackward(dy, _norm.Again(saved.Norm, step), step), Tensor.None, saved.Norm, step);
    }

    /// <summary>What Backward needs from Forward: x. What the LayerNorm returned is made again.</summary>
    public readonly record struct Saved(LayerNorm.Saved Norm);
}
