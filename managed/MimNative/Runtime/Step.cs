using MimNative.Interop;

namespace MimNative.Runtime;

/// <summary>
/// The memory of one training step: every tensor made during the step lies in one arena, at the same address in every step,
/// and all are released together by the next <see cref="Begin"/>. Nobody disposes single tensors.
/// </summary>
/// <remarks>
/// The arena's size is found by <see cref="Plan"/>: the step is walked once without computing, which counts both the arena and
/// the ops' scratch memory, so that the peak is known before the first number is computed.
/// </remarks>
public sealed unsafe class Step : IDisposable
{
    private const int Alignment = 64;

    // While planning, tensors lie nowhere: their addresses only have to be aligned and not null.
    private static readonly byte* Nowhere = (byte*)Alignment;

    private readonly Context _context;
    private readonly List<Array> _arrays = [];
    private DeviceBuffer? _arena;
    private long _used;
    private long _temporary;
    private bool _allTemporary;
    private int _arraysUsed;

    /// <summary>A step on a device, with no memory yet.</summary>
    public Step(Context context) => _context = context;

    /// <summary>The device that the step runs on.</summary>
    public Context Context => _context;

    /// <summary>The element type of activations and of the weights of matrix products; all else of a model stays f32.</summary>
    public DType Compute { get; init; } = DType.F32;

    /// <summary>
    /// Whether blocks keep only their two sums and make all else again in their backward pass: a fifth of the memory, for about a fifth
    /// more arithmetic.
    /// </summary>
    public bool Recompute { get; init; }

    /// <summary>
    /// Who watches what modules compute, in analyses; none in training. Modules know the interfaces that they show themselves to.
    /// </summary>
    public object? Observer { get; set; }

    /// <summary>Whether ops only count memory now; see <see cref="Plan"/>.</summary>
    public bool IsPlanning { get; private set; }

    /// <summary>Bytes of the arena that the step has reached at most, kept and temporary together, planned steps included.</summary>
    public long Peak { get; private set; }

    internal mim_context* Native => _context.Native;

    /// <summary>Walks a step without computing and makes the memory that it needs.</summary>
    /// <returns>Bytes of the arena and of the ops' scratch memory.</returns>
    public (long Arena, long Scratch) Plan(Action<Step> step)
    {
        ArgumentNullException.ThrowIfNull(step);
        IsPlanning = true;
        _context.SetPlanning(true);
        try
        {
            Begin();
            step(this);
        }
        finally
        {
            IsPlanning = false;
            _context.SetPlanning(false);
        }
        Reserve(Peak);
        _context.ReserveScratch(_context.ScratchPeak);
        Begin();
        return (Peak, _context.ScratchPeak);
    }

    /// <summary>Makes an arena of at least this many bytes. Tensors made before are gone.</summary>
    public void Reserve(long bytes)
    {
        if (_arena is null || _arena.Bytes < bytes)
        {
            _arena?.Dispose();
            _arena = null;
            _arena = new DeviceBuffer(_context, Math.Max(bytes, Alignment));
        }
    }

    /// <summary>Starts the step anew: everything made in it before is released.</summary>
    public void Begin()
    {
        (_used, _temporary, _allTemporary) = (0, 0, false);
        _arraysUsed = 0;
    }

    /// <summary>A dense tensor whose numbers are not set. It lives until the step ends.</summary>
    /// <exception cref="InvalidOperationException">The step needs more memory than was planned.</exception>
    public Tensor Empty(DType type, params ReadOnlySpan<long> shape)
    {
        if (_allTemporary)
        {
            return Temporary(type, shape);
        }
        var offset = _used;
        _used = checked(offset + BytesOf(type, shape));
        return At(offset, type, shape);
    }

    /// <summary>
    /// The same, released with the innermost <see cref="Temporaries"/> around it; it lies at the arena's other end, so that what is
    /// kept meanwhile is not in its way.
    /// </summary>
    public Tensor Temporary(DType type, params ReadOnlySpan<long> shape)
    {
        _temporary = checked(_temporary + BytesOf(type, shape));
        return At(-_temporary, type, shape);
    }

    /// <summary>A tensor with the type and extents of another, its numbers not set.</summary>
    public Tensor EmptyLike(Tensor x)
    {
        Span<long> shape = stackalloc long[x.Rank];
        for (var i = 0; i < shape.Length; i++)
        {
            shape[i] = x[i];
        }
        return Empty(x.Type, shape);
    }

    /// <summary>A temporary tensor with the type and extents of another, its numbers not set.</summary>
    public Tensor TemporaryLike(Tensor x)
    {
        Span<long> shape = stackalloc long[x.Rank];
        for (var i = 0; i < shape.Length; i++)
        {
            shape[i] = x[i];
        }
        return Temporary(x.Type, shape);
    }

    /// <summary>
    /// Begins a stretch of the step at whose end (<see cref="Scope.Dispose"/>) the temporary tensors made in it are released.
    /// </summary>
    /// <param name="all">Whether every tensor made in it is temporary, as in a backward pass.</param>
    public Scope Temporaries(bool all = false)
    {
        var scope = new Scope(this, _temporary, _allTemporary);
        _allTemporary |= all;
        return scope;
    }

    /// <summary>
    /// An array for what a module saves, or draws on the host, from a pool that hands out the same arrays in the same order every step, so
    /// that a step in the steady state allocates nothing. It holds what it held before.
    /// </summary>
    public T[] Rent<T>(int count)
    {
        if (_arraysUsed < _arrays.Count && _arrays[_arraysUsed] is T[] known && known.Length == count)
        {
            _arraysUsed++;
            return known;
        }
        var made = new T[count];
        _arrays.RemoveRange(_arraysUsed, _arrays.Count - _arraysUsed);
        _arrays.Add(made);
        _arraysUsed++;
        return made;
    }

    /// <summary>
    /// What a module of many kinds saves, as an object for its own backward: a place in a pooled array. Read back by
    /// <see cref="Kept"/>.
    /// </summary>
    public object Keep<T>(in T saved)
    {
        var place = Rent<T>(1);
        place[0] = saved;
        return place;
    }

    /// <summary>What <see cref="Keep"/> kept.</summary>
    public static ref readonly T Kept<T>(object saved) => ref ((T[])saved)[0];

    /// <summary>
    /// A table that is the same in every step, at a place of its own outside the arena: copied to the device when it is first asked for,
    /// shared by all steps of the context, and there as long as the array, which must not change.
    /// </summary>
    public Tensor Resident<T>(T[] values, params ReadOnlySpan<long> shape) where T : unmanaged =>
        _context.Resident(values).View(DTypes.Of<T>(), 0, shape);

    /// <summary>A tensor of the step with the given numbers.</summary>
    public Tensor FromHost<T>(ReadOnlySpan<T> values, params ReadOnlySpan<long> shape) where T : unmanaged
    {
        var tensor = Empty(DTypes.Of<T>(), shape);
        if (values.Length != tensor.Count)
        {
            throw new ArgumentException($"{values.Length} values given for {tensor}");
        }
        Upload(values, tensor);
        return tensor;
    }

    /// <summary>Copies numbers from host memory to a dense tensor.</summary>
    public void Upload<T>(ReadOnlySpan<T> values, Tensor tensor) where T : unmanaged
    {
        fixed (T* pointer = values)
        {
            Copy(tensor, HostView(pointer, values.Length, tensor));
        }
    }

    /// <summary>Copies a tensor's numbers to host memory, row-major; bf16 as floats where floats are asked for.</summary>
    public void Download<T>(Tensor tensor, Span<T> values) where T : unmanaged
    {
        fixed (T* pointer = values)
        {
            Copy(HostView(pointer, values.Length, tensor), tensor);
        }
        _context.Synchronize();
    }

    /// <summary>A tensor's numbers in a new array.</summary>
    public T[] ToArray<T>(Tensor tensor) where T : unmanaged
    {
        var values = new T[tensor.Count];
        Download<T>(tensor, values);
        return values;
    }

    /// <inheritdoc/>
    public void Dispose() => _arena?.Dispose();

    /// <summary>to = from, between f32 and bf16 too.</summary>
    internal void Copy(Tensor to, Tensor from) => Mim.mim_copy(Native, (mim_view*)&to, (mim_view*)&from);

    private static long BytesOf(DType type, ReadOnlySpan<long> shape) =>
        checked((Tensor.CountOf(shape) * type.Bytes()) + Alignment - 1) / Alignment * Alignment;

    // Offsets below 0 count from the arena's end.
    private Tensor At(long offset, DType type, ReadOnlySpan<long> shape)
    {
        var needed = checked(_used + _temporary);
        Peak = Math.Max(Peak, needed);
        if (IsPlanning)
        {
            return Tensor.Dense(_context.Device.Kind, type, Nowhere + Math.Abs(offset), shape);
        }
        if (_arena is null || needed > _arena.Bytes)
        {
            throw new InvalidOperationException(
                $"the step needs {needed} bytes and has {_arena?.Bytes ?? 0}; plan it with its largest batch first");
        }
        var place = offset < 0 ? _arena.Data + (_arena.Bytes / Alignment * Alignment) + offset : _arena.Data + offset;
        return Tensor.Dense(_context.Device.Kind, type, place, shape);
    }

    private static Tensor HostView<T>(T* pointer, int count, Tensor like) where T : unmanaged
    {
        if (count != like.Count)
        {
            throw new ArgumentException($"{count} values of host memory given for {like}");
        }
        Span<long> shape = stackalloc long[like.Rank];
        for (var i = 0; i < shape.Length; i++)
        {
            shape[i] = like[i];
        }
        return Tensor.Dense(DeviceKind.Cpu, DTypes.Of<T>(), pointer, shape);
    }

    /// <summary>A stretch of a step; see <see cref="Temporaries"/>.</summary>
    public readonly ref struct Scope
    {
        private readonly Step _step;
        private readonly long _temporary;
        private readonly bool _allTemporary;

        internal Scope(Step step, long temporary, bool allTemporary) =>
            (_step, _temporary, _allTemporary) = (step, temporary, allTemporary);

        /// <summary>Ends it.</summary>
        public void Dispose() => (_step._temporary, _step._allTemporary) = (_temporary, _allTemporary);
    }
}
