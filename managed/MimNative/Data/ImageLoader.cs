using System.Diagnostics;

namespace MimNative.Data;

/// <summary>
/// Batches of views, made ahead on threads of its own, epoch after epoch without end. Which samples a batch holds and
/// how they are cropped depends on the seed, the epoch and the batch's number alone: not on the number of workers,
/// their speed, or where the run began. An epoch has as many whole batches as fit; what is left over differs each
/// epoch.
/// </summary>
/// <example><code>
/// using var loader = new ImageLoader(source, settings.Create(), new LoaderOptions { BatchSize = 256, Seed = 1 });
/// var batch = loader.Next(cancellation);
/// ... use batch.Pixels ...
/// loader.Return(batch);
/// </code></example>
public sealed class ImageLoader : IDisposable
{
    private readonly LoaderOptions _options;
    private readonly ITransform _transform;
    private readonly SampleReader _reader;
    private readonly long _sampleCount;
    private readonly Thread[] _workers;

    // All below is guarded by _gate; every change that somebody may wait for pulses it.
    private readonly object _gate = new();
    private readonly Stack<ImageBatch> _free = new();
    private readonly Queue<ImageBatch> _ahead = new();  // begun batches in their order, finished or not
    private ImageBatch? _filling;                       // the one that still has slots to give out
    private int _nextSlot;
    private EpochOrder? _order;
    private long _nextEpoch;
    private long _nextIndex;
    private long _waitedTicks;
    private bool _failed;
    private bool _stopping;

    /// <summary>The source must outlive the loader.</summary>
    public ImageLoader(IImageSource source, ITransform transform, LoaderOptions options)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(transform);
        ArgumentNullException.ThrowIfNull(options);
        Require(options.BatchSize, 1, int.MaxValue, nameof(options.BatchSize));
        Require(options.Workers, 1, LoaderOptions.MostWorkers, nameof(options.Workers));
        Require(options.Prefetch, 1, 1024, nameof(options.Prefetch));
        Require(options.StartEpoch, 0, int.MaxValue, nameof(options.StartEpoch));
        if (source.Count < options.BatchSize)
        {
            throw new ArgumentException(
                $"A batch of {options.BatchSize} needs at least as many pictures; the source has " +
                $"{source.Count}.");
        }
        _sampleCount = source.Count;
        BatchesPerEpoch = source.Count / options.BatchSize;
        Require(options.StartBatch, 0, BatchesPerEpoch - 1, nameof(options.StartBatch));

        (_options, _transform) = (options, transform);
        _reader = new SampleReader(source, transform, options);
        (_nextEpoch, _nextIndex) = (options.StartEpoch, options.StartBatch);
        for (int i = 0; i < options.Prefetch + 1; ++i)  // one is with the caller
        {
            _free.Push(new ImageBatch(options.BatchSize, transform.Height, transform.Width));
        }
        _workers = new Thread[options.Workers];
        for (int i = 0; i < _workers.Length; ++i)
        {
            _workers[i] = new Thread(Work) { IsBackground = true, Name = $"image loader {i}" };
            _workers[i].Start();
        }
    }

    /// <summary>Whole batches in an epoch.</summary>
    public long BatchesPerEpoch { get; }

    /// <summary>
    /// How long <see cref="Next"/> has waited for data in all: time that a faster loader would give back.
    /// </summary>
    public TimeSpan TotalWait => Stopwatch.GetElapsedTime(0, Volatile.Read(ref _waitedTicks));

    /// <summary>How many pictures could not be used so far, in this run.</summary>
    public int SkippedCount => _reader.BadCount;

    /// <summary>The pictures that could not be used so far, by sample number.</summary>
    public IReadOnlyList<SkippedImage> Skipped() => [.. _reader.Bad.OrderBy(bad => bad.Sample)];

    /// <summary>
    /// The next batch; give it back with <see cref="Return"/>. An error of a worker comes out here as it is, at the
    /// batch that it belongs to, and again at every later call.
    /// </summary>
    public ImageBatch Next(CancellationToken cancellation = default)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_stopping, this);
            if (_ahead.Count == 0 && _free.Count == 0)
            {
                throw new InvalidOperationException(
                    $"All {_options.Prefetch + 1} batches of the loader are in use; return one " +
                    "before asking for the next.");
            }
            if (!IsReady)
            {
                WaitUntilReady(cancellation);
            }
            cancellation.ThrowIfCancellationRequested();
            _ahead.Peek().ThrowIfFailed();  // and stays, for the next call
            var batch = _ahead.Dequeue();
            batch.IsLent = true;
            return batch;
        }
    }

    /// <summary>Gives a batch back, to be filled anew.</summary>
    public void Return(ImageBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        lock (_gate)
        {
            if (!batch.IsLent)
            {
                throw new InvalidOperationException("Only a batch that Next gave out can be returned, and only once.");
            }
            batch.IsLent = false;
            _free.Push(batch);
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Stops the threads and waits for them; each finishes the picture it is at.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _stopping = true;
            Monitor.PulseAll(_gate);
        }
        foreach (var worker in _workers)
        {
            worker.Join();
        }
    }

    private bool IsReady => _ahead.TryPeek(out var batch) && batch.Missing == 0;

    private void WaitUntilReady(CancellationToken cancellation)
    {
        long start = Stopwatch.GetTimestamp();
        var wake = cancellation.UnsafeRegister(static gate =>
        {
            lock (gate!)
            {
                Monitor.PulseAll(gate);
            }
        }, _gate);
        while (!IsReady && !_stopping && !cancellation.IsCancellationRequested)
        {
            Monitor.Wait(_gate);
        }
        wake.Unregister();  // Dispose would wait for a callback that waits for _gate
        _waitedTicks += Stopwatch.GetTimestamp() - start;
        cancellation.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(_stopping, this);
    }

    private void Work()
    {
        var workspace = new SampleReader.Workspace(_transform);
        while (TakeSlot(out var batch, out int slot))
        {
            Exception? failure = null;
            try
            {
                int sample = batch.KeyOf(slot);
                batch.SetSample(slot, _reader.Read(sample, batch.Epoch, workspace, batch.View(slot)));
            }
            catch (Exception error)
            {
                failure = error;  // the consumer's, at this batch
            }
            Finish(batch, slot, failure);
        }
    }

    // Slots are given out in order; a new batch begins when the last one has none left and a free one is there.
    private bool TakeSlot(out ImageBatch batch, out int slot)
    {
        lock (_gate)
        {
            while (!_stopping && _filling is null && !TryBegin())
            {
                Monitor.Wait(_gate);
            }
            (batch, slot) = (_filling!, _nextSlot);
            if (_stopping)
            {
                return false;
            }
            if (++_nextSlot == batch.Count)
            {
                _filling = null;
            }
            return true;
        }
    }

    private bool TryBegin()
    {
        if (_failed || _free.Count == 0)
        {
            return false;
        }
        var batch = _free.Pop();
        _ahead.Enqueue(batch);
        try
        {
            if (_order?.Epoch != _nextEpoch)
            {
                _order = new EpochOrder(_sampleCount, _options.Seed, _nextEpoch);
            }
        }
        catch (Exception error)
        {
            batch.Missing = 0;
            batch.Fail(slot: 0, error);
            _failed = true;
            Monitor.PulseAll(_gate);
            return false;
        }
        batch.Begin(_order, _nextIndex);
        (_filling, _nextSlot) = (batch, 0);
        if (++_nextIndex == BatchesPerEpoch)
        {
            (_nextEpoch, _nextIndex) = (_nextEpoch + 1, 0);
        }
        Monitor.PulseAll(_gate);
        return true;
    }

    private void Finish(ImageBatch batch, int slot, Exception? failure)
    {
        lock (_gate)
        {
            if (failure is not null)
            {
                batch.Fail(slot, failure);
                _failed = true;
            }
            if (--batch.Missing == 0)
            {
                Monitor.PulseAll(_gate);
            }
        }
    }

    private static void Require(long value, long least, long most, string name)
    {
        if (value < least || value > most)
        {
            throw new ArgumentOutOfRangeException(name, value, $"The loader's {name} must be from {least} to {most}.");
        }
    }
}
