using MimNative.Runtime;

namespace MimNative.Nn;

/// <summary>fc2(gelu(fc1(x))): the two-layer perceptron of a transformer block.</summary>
public sealed class Mlp
{
    private readonly Parameter _weight1;
    private readonly Parameter _bias1;
    private readonly Linear _fc2;

    /// <summary>A perceptron over <paramref name="dim"/> channels.</summary>
    public Mlp(ParameterScope scope, long dim, long hidden, WeightInit? init = null, WeightInit? initLast = null)
        : this(scope["fc1"], scope["fc2"], dim, hidden, dim, init ?? WeightInits.Xavier, initLast ?? init ?? WeightInits.Xavier)
    {
    }

    /// <summary>A perceptron from inputs to outputs, its layers registered in scopes of their own.</summary>
    public Mlp(
        ParameterScope fc1, ParameterScope fc2, long inputs, long hidden, long outputs, WeightInit init, WeightInit initLast)
    {
        ArgumentNullException.ThrowIfNull(init);
        _weight1 = fc1.Add("weight", init(inputs, hidden), trainable: true, hidden, inputs);
        _bias1 = fc1.Add("bias", Initializer.Zeros, trainable: true, hidden);
        _fc2 = new Linear(fc2, hidden, outputs, initLast);
    }

    /// <summary>x: (R, C).</summary>
    public Tensor Forward(Tensor x, Step step, out Saved saved)
    {
        var h = Ops.LinearGelu(x, _weight1.Weight(step), _bias1.Value, step, out var pre);
        var y = _fc2.Forward(h, step, out var fc2Saved);
        saved = new Saved(x, pre, fc2Saved);
        return y;
    }

    /// <summary>The gradient of x.</summary>
    public Tensor Backward(Tensor dy, in Saved saved, Step step)
    {
        var dh = _fc2.Backward(dy, saved.Fc2, step);
        return Ops.LinearBackward(dh, saved.X, _weight1.Weight(step), saved.Pre, _weight1.Grad, _bias1.Grad, step);
    }

    /// <summary>What Backward needs from Forward.</summary>
    public readonly record struct Saved(Tensor X, Tensor Pre, Linear.Saved Fc2);
}
