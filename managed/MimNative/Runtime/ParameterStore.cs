namespace MimNative.Runtime;

/// <summary>
/// All numbers of a model in flat buffers: values, gradients and both Adam moments of what is trained, one buffer each, and the
/// values of what is fixed. Modules register their parameters first; then <see cref="Allocate"/> makes the memory, once.
/// </summary>
/// <remarks>
/// All of these are f32. For steps that compute in bf16 there is a copy of the trained values beside them, rounded: the optimiser writes
/// it in the pass that writes the values, <see cref="Round"/> after any other way to new values (initial ones, a file's).
/// </remarks>
public sealed class ParameterStore : IDisposable
{
    // Segments begin at multiples of 64 bytes; the gaps stay zero.
    private const long Alignment = 16;

    private readonly List<Parameter> _parameters = [];
    private readonly Dictionary<string, Parameter> _byName = [];
    private DeviceBuffer? _values, _grads, _moment1, _moment2, _fixed, _rounded;
    private long _trainedCount, _fixedCount;

    /// <summary>Every parameter in the order of registration, fixed ones too.</summary>
    public IReadOnlyList<Parameter> Parameters => _parameters;

    /// <summary>The root of the tree of names.</summary>
    public ParameterScope Root => new(this, "");

    /// <summary>How many numbers are trained.</summary>
    public long TrainedCount => _parameters.Where(p => p.IsTrainable).Sum(p => p.Count);

    /// <summary>Bytes that <see cref="Allocate"/> takes; the rounded copy counts once it is there.</summary>
    public long Bytes => sizeof(float) * (4 * _trainedCount + _fixedCount) + (_rounded?.Bytes ?? 0);

    /// <summary>The trained values as one vector, gaps included.</summary>
    public Tensor Values => Flat(_values, _trainedCount);

    /// <summary>The gradients as one vector.</summary>
    public Tensor Grads => Flat(_grads, _trainedCount);

    /// <summary>Adam's first moments as one vector.</summary>
    public Tensor Moment1 => Flat(_moment1, _trainedCount);

    /// <summary>Adam's second moments as one vector.</summary>
    public Tensor Moment2 => Flat(_moment2, _trainedCount);

    /// <summary>The trained values rounded to bf16, as one vector; absent without steps that compute in bf16.</summary>
    public Tensor Rounded =>
        _rounded is null ? Tensor.None : _rounded.View(DType.BF16, 0, Math.Max(_trainedCount, Alignment));

    /// <summary>The parameter of this name.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public Parameter this[string name] =>
        _byName.TryGetValue(name, out var parameter)
            ? parameter
            : throw new KeyNotFoundException($"the model has no parameter '{name}'");

    /// <summary>Whether there is a parameter of this name.</summary>
    public bool Contains(string name) => _byName.ContainsKey(name);

    /// <summary>Registers a parameter; only before <see cref="Allocate"/>.</summary>
    public Parameter Add(string name, Initializer initializer, bool trainable, params long[] shape)
    {
        if (_values is not null)
        {
            throw new InvalidOperationException($"parameter '{name}' comes after the store was allocated");
        }
        ref var count = ref trainable ? ref _trainedCount : ref _fixedCount;
        var parameter = new Parameter(name, shape, initializer, trainable, count);
        if (!_byName.TryAdd(name, parameter))
        {
            throw new InvalidOperationException($"parameter '{name}' is registered twice");
        }
        _parameters.Add(parameter);
        count = checked(count + (parameter.Count + Alignment - 1) / Alignment * Alignment);
        return parameter;
    }

    /// <summary>Makes the memory, all zero.</summary>
    /// <param name="context">The device.</param>
    /// <param name="compute">The element type of the steps to come: BF16 makes the rounded copy too.</param>
    public void Allocate(Context context, DType compute = DType.F32)
    {
        DeviceBuffer Make(long count) => new(context, Math.Max(count, Alignment) * sizeof(float));
        _values = Make(_trainedCount);
        _grads = Make(_trainedCount);
        _moment1 = Make(_trainedCount);
        _moment2 = Make(_trainedCount);
        _fixed = Make(_fixedCount);
        _rounded = compute == DType.BF16
            ? new DeviceBuffer(context, Math.Max(_trainedCount, Alignment) * DType.BF16.Bytes())
            : null;
        foreach (var parameter in _parameters)
        {
            Tensor Of(Tensor flat) => flat.IsAbsent ? flat : Part(flat, parameter);
            if (parameter.IsTrainable)
            {
                parameter.Place(Of(Values), Of(Grads), Of(Rounded));
            }
            else
            {
                parameter.Place(Of(Flat(_fixed, _fixedCount)), Tensor.None, Tensor.None);
            }
        }
    }

    /// <summary>Gives every parameter its initial value: a function of (seed, name) alone.</summary>
    public void Initialize(long seed, Step step)
    {
        foreach (var parameter in _parameters)
        {
            var values = new float[parameter.Count];
            parameter.Initializer.Fill(values, parameter.Name, seed);
            step.Upload<float>(values, parameter.Value);
        }
        Round(step);
    }

    /// <summary>Writes the rounded copy anew, where there is one: after values were written by anything but the optimiser.</summary>
    public void Round(Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        if (_rounded is not null)
        {
            step.Copy(Rounded, Values);
        }
    }

    /// <summary>A view of a flat vector where a parameter lies.</summary>
    public static Tensor Part(Tensor flat, Parameter parameter)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        return flat.Slice(0, parameter.Offset, parameter.Count).Reshape(parameter.Extents);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var buffer in new[] { _values, _grads, _moment1, _moment2, _fixed, _rounded })
        {
            buffer?.Dispose();
        }
        _parameters.ForEach(parameter => parameter.Place(Tensor.None, Tensor.None, Tensor.None));
    }

    private static Tensor Flat(DeviceBuffer? buffer, long count) =>
        buffer is null
            ? throw new InvalidOperationException("the store is not allocated yet")
            : buffer.View(DType.F32, 0, Math.Max(count, Alignment));
}
