using MimNative.Interop;

namespace MimNative.Runtime;

/// <summary>
/// A moment of a context's work. A CUDA device does what it is asked for later than it is asked: who wants to know when, or how long it
/// took, marks the moment and asks afterwards.
/// </summary>
public sealed unsafe class DeviceEvent : IDisposable
{
    private readonly NativeHandle<mim_event> _handle;

    /// <summary>An event that marks no moment yet.</summary>
    public DeviceEvent(Context context)
    {
        ArgumentNullException.ThrowIfNull(context);
        mim_event* native;
        Mim.mim_event_create(context.Native, &native);
        _handle = new NativeHandle<mim_event>(native, &Mim.mim_event_destroy);
    }

    private mim_event* Native => _handle.Get(this);

    /// <summary>Marks the moment at which everything is done that the context was asked for so far.</summary>
    public void Record() => Mim.mim_event_record(Native);

    /// <summary>Waits until the moment has come.</summary>
    /// <exception cref="MimException">It was never recorded.</exception>
    public void Synchronize() => Mim.mim_event_synchronize(Native);

    /// <summary>The time from an earlier moment to this one by the device's own clock, in milliseconds; waits for both.</summary>
    /// <exception cref="MimException">One was never recorded, or they are of different contexts.</exception>
    public double MillisecondsSince(DeviceEvent first)
    {
        ArgumentNullException.ThrowIfNull(first);
        double milliseconds;
        Mim.mim_event_milliseconds(first.Native, Native, &milliseconds);
        return milliseconds;
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();
}
