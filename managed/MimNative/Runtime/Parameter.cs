namespace MimNative.Runtime;

/// <summary>A named tensor that a model learns, or holds fixed: a segment of a <see cref="ParameterStore"/>.</summary>
public sealed class Parameter
{
    private readonly long[] _shape;
    private Tensor _value, _grad, _rounded;

    internal Parameter(string name, long[] shape, Initializer initializer, bool trainable, long offset)
    {
        Name = name;
        _shape = shape;
        Count = Tensor.CountOf(shape);
        Initializer = initializer;
        IsTrainable = trainable;
        Offset = offset;
    }

    /// <summary>The name in checkpoints, as upstream has it: <c>blocks.0.attn.qkv.weight</c>.</summary>
    public string Name { get; }

    /// <summary>The extents, as upstream has them.</summary>
    public IReadOnlyList<long> Shape => _shape;

    /// <summary>How many numbers.</summary>
    public long Count { get; }

    /// <summary>Whether it has a gradient. Fixed position tables have none.</summary>
    public bool IsTrainable { get; }

    /// <summary>What the numbers are before training.</summary>
    public Initializer Initializer { get; }

    /// <summary>The current value, f32.</summary>
    public Tensor Value => Placed(_value);

    /// <summary>The gradient, f32; backward passes add to it. Absent for fixed parameters.</summary>
    public Tensor Grad => IsTrainable ? Placed(_grad) : Tensor.None;

    /// <summary>
    /// The value as the step's matrix products take it: f32, or the rounded copy of a step that computes in bf16.
    /// </summary>
    public Tensor Weight(Step step) =>
        step.Compute == DType.F32 ? Value
        : !_rounded.IsAbsent ? _rounded
        : throw new InvalidOperationException(
            $"the store has no {step.Compute} copy of '{Name}': it was allocated for steps that compute in F32");

    /// <summary>The extents for what every step asks, which must not allocate.</summary>
    internal ReadOnlySpan<long> Extents => _shape;

    /// <summary>First element within its flat buffer.</summary>
    internal long Offset { get; }

    /// <summary>The value as a matrix or vector of the given extents: a convolution's weight as (D, C P P), say.</summary>
    public Tensor ValueAs(params ReadOnlySpan<long> shape) => Value.Reshape(shape);

    /// <summary>The <see cref="Weight"/> with the given extents.</summary>
    public Tensor WeightAs(Step step, params ReadOnlySpan<long> shape) => Weight(step).Reshape(shape);

    /// <summary>The gradient with the given extents.</summary>
    public Tensor GradAs(params ReadOnlySpan<long> shape) => Grad.Reshape(shape);

    // Said once, since every layer of every step asks.
    internal void Place(Tensor value, Tensor grad, Tensor rounded) => (_value, _grad, _rounded) = (value, grad, rounded);

    private static Tensor Placed(Tensor tensor) =>
        tensor.IsAbsent ? throw new InvalidOperationException("the store has no memory: it is not allocated yet, or disposed") : tensor;
}

/// <summary>A place in a model's tree of names, where modules register their parameters.</summary>
/// <param name="Store">The store.</param>
/// <param name="Prefix">The names' beginning, without the last dot; empty at the root.</param>
public readonly record struct ParameterScope(ParameterStore Store, string Prefix)
{
    /// <summary>The scope of a child.</summary>
    public ParameterScope this[string name] => new(Store, Join(name));

    /// <summary>Registers a parameter.</summary>
    public Parameter Add(string name, Initializer initializer, bool trainable, params long[] shape) =>
        Store.Add(Join(name), initializer, trainable, shape);

    private string Join(string name) => Prefix.Length == 0 ? name : $"{Prefix}.{name}";
}
