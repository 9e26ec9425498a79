using MimNative.Runtime;

namespace MimNative.Nn;

/// <summary>y = x W^T + b over the last axis.</summary>
public sealed class Linear
{
    private readonly Parameter _weight;
    private readonly Parameter? _bias;
    private readonly long _inputs;
    private readonly long _outputs;

    /// <summary>A layer whose weights begin as <paramref name="init"/> says (Xavier uniform), its bias with zeros.</summary>
    /// <param name="scope">Where <c>weight</c> and <c>bias</c> are registered.</param>
    /// <param name="inputs">Channels of x.</param>
    /// <param name="outputs">Channels of y.</param>
    /// <param name="init">The first weights.</param>
    /// <param name="bias">Whether there is a bias.</param>
    /// <param name="isConvolution">Whether the weight has the extents of a 1 x 1 convolution (N, K, 1, 1), as upstream's has.</param>
    public Linear(
        ParameterScope scope, long inputs, long outputs, WeightInit? init = null, bool bias = true, bool isConvolution = false)
    {
        var weights = (init ?? WeightInits.Xavier)(inputs, outputs);
        _weight = Weight(scope, weights, outputs, inputs, isConvolution);
        _bias = bias ? scope.Add("bias", Initializer.Zeros, trainable: true, outputs) : null;
        (_inputs, _outputs) = (inputs, outputs);
    }

    /// <summary>x: (R, K) to (R, N).</summary>
    public Tensor Forward(Tensor x, Step step, out Saved saved)
    {
        saved = new Saved(x);
        return Ops.Linear(x, _weight.WeightAs(step, _outputs, _inputs), _bias?.Value ?? Tensor.None, step);
    }

    /// <summary>The same into a given y; nothing is saved: Backward wants x again.</summary>
    public void Forward(Tensor y, Tensor x, Step step) =>
        Ops.Linear(y, x, _weight.WeightAs(step, _outputs, _inputs), _bias?.Value ?? Tensor.None, step);

    /// <summary>The gradient of x; absent where it is not wanted.</summary>
    public Tensor Backward(Tensor dy, in Saved saved, Step step, bool wantInput = true) =>
        Ops.LinearBackward(
            dy, saved.X, _weight.WeightAs(step, _outputs, _inputs), _weight.GradAs(_outputs, _inputs),
            _bias?.Grad ?? Tensor.None, step, wantInput);

    /// <summary>The weight of a linear layer (N, K), or of the same layer as a 1 x 1 convolution (N, K, 1, 1).</summary>
    internal static Parameter Weight(ParameterScope scope, Initializer weights, long outputs, long inputs, bool isConvolution) =>
        isConvolution
            ? scope.Add("weight", weights, trainable: true, outputs, inputs, 1, 1)
            : scope.Add("weight", weights, trainable: true, outputs, inputs);

    /// <summary>What Backward needs from Forward.</summary>
    public readonly record struct Saved(Tensor X);
}
