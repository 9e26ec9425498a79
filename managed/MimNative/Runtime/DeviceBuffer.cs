using MimNative.Interop;

namespace MimNative.Runtime;

/// <summary>Memory on a device, zeroed when made; tensors are views of it and own nothing.</summary>
public sealed unsafe class DeviceBuffer : IDisposable
{
    private readonly NativeHandle<mim_buffer> _handle;
    private readonly Device _device;
    private readonly byte* _data;

    /// <summary>Takes memory.</summary>
    /// <exception cref="MimException">There is not enough.</exception>
    public DeviceBuffer(Context context, long bytes)
    {
        ArgumentNullException.ThrowIfNull(context);
        mim_buffer* native;
        Mim.mim_buffer_create(context.Native, &native, bytes);
        _handle = new NativeHandle<mim_buffer>(native, &Mim.mim_buffer_destroy);
        _data = (byte*)Mim.mim_buffer_data(native);
        _device = context.Device;
        Bytes = bytes;
    }

    /// <summary>The size.</summary>
    public long Bytes { get; }

    internal byte* Data
    {
        get
        {
            ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
            return _data;
        }
    }

    /// <summary>A dense tensor that begins <paramref name="offset"/> bytes into the buffer.</summary>
    public Tensor View(DType type, long offset, params ReadOnlySpan<long> shape)
    {
        var tensor = Tensor.Dense(_device.Kind, type, Data + offset, shape);
        if (offset < 0 || offset + tensor.Count * type.Bytes() > Bytes)
        {
            throw new ArgumentOutOfRangeException(
                nameof(offset), $"a tensor of {tensor} at byte {offset} leaves a buffer of {Bytes} bytes");
        }
        return tensor;
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();
}
