using Microsoft.Win32.SafeHandles;

namespace MimNative.Runtime;

/// <summary>
/// Owns an object of the native library, which ends with it or when nobody holds it any more. Native handles keep alive what they depend
/// on, so the order in which a garbage collector ends them does not matter.
/// </summary>
/// <typeparam name="T">The object.</typeparam>
internal sealed unsafe class NativeHandle<T> : SafeHandleZeroOrMinusOneIsInvalid where T : unmanaged
{
    private readonly delegate*<T*, void> _destroy;

    /// <summary>Takes over an object and what ends it.</summary>
    public NativeHandle(T* native, delegate*<T*, void> destroy) : base(ownsHandle: true)
    {
        _destroy = destroy;
        SetHandle((nint)native);
    }

    /// <summary>The object, for a call on behalf of its owner.</summary>
    /// <exception cref="ObjectDisposedException">It has ended.</exception>
    public T* Get(object owner)
    {
        ObjectDisposedException.ThrowIf(IsClosed, owner);
        return (T*)handle;
    }

    protected override bool ReleaseHandle()
    {
        _destroy((T*)handle);
        return true;
    }
}
