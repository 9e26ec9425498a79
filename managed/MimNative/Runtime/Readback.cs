using MimNative.Interop;

namespace MimNative.Runtime;

/// <summary>Numbers on their way to the host while the device goes on: one copy at a time.</summary>
public sealed unsafe class Readback : IDisposable
{
    private readonly NativeHandle<mim_readback> _handle;
    private readonly Context _context;
    private long _bytes;

    /// <summary>Takes memory of the host for so many bytes.</summary>
    public Readback(Context context, long bytes)
    {
        ArgumentNullException.ThrowIfNull(context);
        mim_readback* native;
        Mim.mim_readback_create(context.Native, &native, bytes);
        _handle = new NativeHandle<mim_readback>(native, &Mim.mim_readback_destroy);
        _context = context;
    }

    private mim_readback* Native => _handle.Get(this);

    /// <summary>Asks for a copy of what a dense tensor holds when everything that was asked for so far is done.</summary>
    public void Start(Tensor from)
    {
        Mim.mim_readback_start(_context.Native, Native, (mim_view*)&from);
        _bytes = from.Count * from.Type.Bytes();
    }

    /// <summary>Waits for the copy, not for what was asked for after it.</summary>
    /// <returns>Its numbers, until the next one is asked for or this is disposed.</returns>
    public ReadOnlySpan<T> Wait<T>() where T : unmanaged
    {
        Mim.mim_readback_wait(_context.Native, Native);
        return new ReadOnlySpan<T>(Mim.mim_readback_data(Native), checked((int)(_bytes / sizeof(T))));
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();
}
