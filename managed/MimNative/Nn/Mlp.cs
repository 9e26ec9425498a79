using MimNative.Runtime;

namespace MimNative.Nn;

/// <summary>fc2(gelu(fc1(x))): the two-layer perceptron of a transformer block.</summary>
public sealed class Mlp
{
    private readonly Parameter _weight1;
    private readonly Parameter _bias1;
    private readonly Parameter _weight2;
    private readonly Parameter _bias2;

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
        ArgumentNullException.ThrowIfNull(initLast);
        _weight1 = fc1.Add("weight", init(inputs, hidden), trainable: true, hidden, inputs);
        _bias1 = fc1.Add("bias", Initializer.Zeros, trainable: true, hidden);
        _weight2 = fc2.Add("weight", initLast(hidden, outputs), trainable: true, outputs, hidden);
        _bias2 = fc2.Add("bias", Initializer.Zeros, trainable: true, outputs);
    }

    /// <summary>x: (R, C).</summary>
    public Tensor Forward(Tensor x, Step step, out Saved saved)
    {
        ArgumentNullException.ThrowIfNull(step);
        var y = step.Empty(x.Type, x[0], _bias2.Shape[0]);
        saved = Forward(y, x, step);
        return y;
    }

    /// <summary>The same into a given y.</summary>
    public Saved Forward(Tensor y, Tensor x, Step step) =>
        new(x, Ops.Mlp(y, x, _weight1.Weight(step), _bias1.Value, _weight2.Weight(step), _bias2.Value, step));

    /// <summary>What Forward saved, made again from x.</summary>
    public Saved Again(Tensor x, Step step) => new(x, Ops.Linear(x, _weight1.Weight(step), _bias1.Value, step));

    /// <summary>The gradient of x.</summary>
    public Tensor Backward(Tensor dy, in Saved saved, Step step) => Ops.MlpBackward(
        dy, saved.X, saved.Pre, _weight1.Weight(step), _weight2.Weight(step), _weight1.Grad, _bias1.Grad, _weight2.Grad, _bias2.Grad,
        step);

    /// <summary>What Backward needs from Forward. A block makes X again instead of keeping it.</summary>
    public readonly record struct Saved(Tensor X, Tensor Pre);
}
