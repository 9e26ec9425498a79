using MimNative.Runtime;

namespace MimNative.Nn;

/// <summary>y = x W^T + b over the last axis.</summary>
public sealed class Linear
{
    private readonly Parameter _weight;
    private readonly Parameter _bias;

    /// <summary>A layer with MAE's initialisation: Xavier uniform weights, zero bias.</summary>
    public Linear(ParameterScope scope, long inputs, long outputs)
    {
        _weight = scope.Add("weight", new Initializer.XavierUniform(inputs, outputs), trainable: true, outputs, inputs);
        _bias = scope.Add("bias", Initializer.Zeros, trainable: true, outputs);
    }

    /// <summary>x: (R, K) to (R, N).</summary>
    public Tensor Forward(Tensor x, Step step, out Saved saved)
    {
        saved = new Saved(x);
        return Ops.Linear(x, _weight.Value, _bias.Value, step);
    }

    /// <summary>The gradient of x; absent where it is not wanted.</summary>
    public Tensor Backward(Tensor dy, in Saved saved, Step step, bool wantInput = true) =>
        Ops.LinearBackward(
            dy, saved.X, _weight.Value, Tensor.None, _weight.Grad, _bias.Grad, step, wantInput);

    /// <summary>What Backward needs from Forward.</summary>
    public readonly record struct Saved(Tensor X);
}
