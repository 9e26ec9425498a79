using MimNative.Runtime;

namespace MimNative.Nn;

/// <summary>fc2(gelu(fc1(x))): the two-layer perceptron of a transformer block.</summary>
public sealed class Mlp
{
    private readonly Parameter _weight1;
    private readonly Parameter _bias1;
    private readonly Parameter _weight2;
    private readonly Parameter _bias2;
    private readonly long _inputs;
    private readonly long _hidden;
    private readonly long _outputs;

    /// <summary>A perceptron over <paramref name="dim"/> channels; as 1 x 1 convolutions its weights are (N, K, 1, 1).</summary>
    public Mlp(
        ParameterScope scope, long dim, long hidden, WeightInit? init = null, WeightInit? initLast = null, bool isConvolution = false)
        : this(
            scope["fc1"], scope["fc2"], dim, hidden, dim, init ?? WeightInits.Xavier, initLast ?? init ?? WeightInits.Xavier,
            isConvolution)
    {
    }

    /// <summary>A perceptron from inputs to outputs, its layers registered in scopes of their own.</summary>
    public Mlp(
        ParameterScope fc1, ParameterScope fc2, long inputs, long hidden, long outputs, WeightInit init, WeightInit initLast,
        bool isConvolution = false)
    {
        ArgumentNullException.ThrowIfNull(init);
        ArgumentNullException.ThrowIfNull(initLast);
        (_inputs, _hidden, _outputs) = (inputs, hidden, outputs);
        _weight1 = Linear.Weight(fc1, init(inputs, hidden), hidden, inputs, isConvolution);
        _bias1 = fc1.Add("bias", Initializer.Zeros, trainable: true, hidden);
        _weight2 = Linear.Weight(fc2, initLast(hidden, outputs), outputs, hidden, isConvolution);
        _bias2 = fc2.Add("bias", Initializer.Zeros, trainable: true, outputs);
    }

    /// <summary>x: (R, C).</summary>
    public Tensor Forward(Tensor x, Step step, out Saved saved)
    {
        ArgumentNullException.ThrowIfNull(step);
        var y = step.Empty(x.Type, x[0], _outputs);
        saved = Forward(y, x, step);
        return y;
    }

    /// <summary>The same into a given y.</summary>
    public Saved Forward(Tensor y, Tensor x, Step step) =>
        new(x, Ops.Mlp(y, x, Weight1(step), _bias1.Value, Weight2(step), _bias2.Value, step));

    /// <summary>What Forward saved, made again from x.</summary>
    public Saved Again(Tensor x, Step step) => new(x, Ops.Linear(x, Weight1(step), _bias1.Value, step));

    /// <summary>The gradient of x.</summary>
    public Tensor Backward(Tensor dy, in Saved saved, Step step) => Ops.MlpBackward(
        dy, saved.X, saved.Pre, Weight1(step), Weight2(step), _weight1.GradAs(_hidden, _inputs), _bias1.Grad, _weight2.GradAs(_outputs, _hidden), _bias2.Grad,
        step);

    private Tensor Weight1(Step step) => _weight1.WeightAs(step, _hidden, _inputs);

    private Tensor Weight2(Step step) => _weight2.WeightAs(step, _outputs, _hidden);

    /// <summary>What Backward needs from Forward. A block makes X again instead of keeping it.</summary>
    public readonly record struct Saved(Tensor X, Tensor Pre);
}
