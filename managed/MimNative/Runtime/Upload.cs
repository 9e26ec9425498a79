using MimNative.Interop;

namespace MimNative.Runtime;

/// <summary>
/// Numbers on their way to the device while it goes on with what was asked for before: what is asked for after a
/// <see cref="Start"/> finds them in <see cref="View"/> until the next.
/// </summary>
public sealed unsafe class Upload : IDisposable
{
    private readonly NativeHandle<mim_upload> _handle;
    private readonly Context _context;
    private readonly long _place;

    /// <summary>Takes memory of the device, and of the host, for so many bytes at a time.</summary>
    public Upload(Context context, long bytes)
    {
        ArgumentNullException.ThrowIfNull(context);
        mim_upload* native;
        Mim.mim_upload_create(context.Native, &native, bytes);
        _handle = new NativeHandle<mim_upload>(native, &Mim.mim_upload_destroy);
        (_context, _place) = (context, bytes);
        Bytes = Mim.mim_upload_bytes(native);
    }

    /// <summary>Memory of the device that it takes; a GPU has two places, which take turns.</summary>
    public long Bytes { get; }

    /// <summary>Memory of the host that a GPU copies from while both go on; a CPU needs none.</summary>
    public long HostBytes => _context.Device.Kind == DeviceKind.Cpu ? 0 : Bytes;

    private mim_upload* Native => _handle.Get(this);

    /// <summary>Asks for a copy of the values, which may be overwritten when this returns.</summary>
    public void Start<T>(ReadOnlySpan<T> values) where T : unmanaged
    {
        fixed (T* start = values)
        {
            var from = Tensor.Dense(DeviceKind.Cpu, DTypes.Of<T>(), start, values.Length);
            Mim.mim_upload_start(_context.Native, Native, (mim_view*)&from);
        }
    }

    /// <summary>What the latest start brings, for work that is asked for before the next one.</summary>
    public Tensor View(DType type, params ReadOnlySpan<long> shape)
    {
        var tensor = Tensor.Dense(_context.Device.Kind, type, (byte*)Mim.mim_upload_data(Native), shape);
        if (tensor.Count * type.Bytes() > _place)
        {
            throw new ArgumentOutOfRangeException(nameof(shape), $"a tensor of {tensor} does not fit the {_place} bytes of an upload");
        }
        return tensor;
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();
}
