using System.Runtime.ExceptionServices;

namespace MimNative.Data;

/// <summary>
/// A batch of views. It belongs to its loader and is filled again after <see cref="ImageLoader.Return"/>.
/// </summary>
public sealed class ImageBatch
{
    private readonly byte[] _pixels;
    private readonly long[] _keys;
    private readonly long[] _samples;
    private readonly int _viewLength;
    private ExceptionDispatchInfo? _failure;
    private int _failedSlot;

    // pinned, so that a device copy may read it at a fixed address
    internal ImageBatch(int count, int height, int width)
    {
        _viewLength = checked(3 * height * width);
        _pixels = GC.AllocateUninitializedArray<byte>(checked(count * _viewLength), pinned: true);
        _keys = new long[count];
        _samples = new long[count];
        (Height, Width) = (height, width);
    }

    /// <summary>Pictures in the batch.</summary>
    public int Count => _samples.Length;

    /// <summary>Rows of a picture.</summary>
    public int Height { get; }

    /// <summary>Columns of a picture.</summary>
    public int Width { get; }

    /// <summary>The pixels, (Count, Height, Width, 3). They lie at an address that never changes.</summary>
    public Span<byte> Pixels => _pixels;

    /// <summary>
    /// Which picture of the source each view shows. Where a picture had to be skipped it is the one that stands in
    /// for it.
    /// </summary>
    public ReadOnlyMemory<long> Samples => _samples;

    /// <summary>
    /// Whose turn it was: the sample that a view's random numbers belong to, its crop's and its mask's. They are the <see cref="Samples"/>,
    /// but for stand-ins.
    /// </summary>
    public ReadOnlyMemory<long> Keys => _keys;

    /// <summary>The epoch the batch belongs to, from 0.</summary>
    public long Epoch { get; private set; }

    /// <summary>The number of the batch in its epoch, from 0.</summary>
    public long Index { get; private set; }

    /// <summary>Views that are not finished yet.</summary>
    internal int Missing { get; set; }

    /// <summary>True between Next and Return.</summary>
    internal bool IsLent { get; set; }

    internal void Begin(EpochOrder order, long index)
    {
        (Epoch, Index, Missing) = (order.Epoch, index, Count);
        _failure = null;
        for (int slot = 0; slot < Count; ++slot)
        {
            _keys[slot] = order[(index * Count) + slot];
        }
    }

    internal Span<byte> View(int slot) => _pixels.AsSpan(slot * _viewLength, _viewLength);

    internal int KeyOf(int slot) => (int)_keys[slot];

    internal void SetSample(int slot, int sample) => _samples[slot] = sample;

    /// <summary>Of several failures the one of the lowest slot counts, whichever came first.</summary>
    internal void Fail(int slot, Exception error)
    {
        if (_failure is null || slot < _failedSlot)
        {
            (_failure, _failedSlot) = (ExceptionDispatchInfo.Capture(error), slot);
        }
    }

    internal void ThrowIfFailed() => _failure?.Throw();
}
