using System.Diagnostics;
using MimNative.Recipes;
using MimNative.Runtime;
using MimNative.Training;

namespace MimNative.Evaluation.Benchmarks;

/// <summary>
/// Times whole training steps: a batch of noise is copied in, forward, loss, backward, AdamW. As the training loop does it, but without
/// the loader, and the loss is read once, at the end.
/// </summary>
public sealed class StepBenchmark : IDisposable
{
    private const double LearningRate = 1e-4;
    private const int WarmUp = 2;

    private readonly Context _context;
    private readonly Model _model;
    private readonly AdamW _optimizer;
    private readonly Step _step;
    private readonly DeviceBuffer _loss;
    private readonly byte[] _noise;
    private readonly Upload _pixels;
    private readonly float[] _mean, _std;
    private readonly long[] _samples;
    private readonly long _imported, _planned;
    private readonly BenchmarkTask _task;
    private readonly Recipe _recipe;
    private readonly Action _forward;
    private long _number;

    /// <summary>Makes the model and the memory of its step.</summary>
    public StepBenchmark(BenchmarkTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        _task = task;
        _recipe = task.Recipe ?? throw new ArgumentException($"case '{task.Name}' has no recipe", nameof(task));
        _imported = ProcessMemory.Peak();
        var (train, image) = (_recipe.Train, _recipe.Image);
        _context = new Context(Device.Parse(task.Device), task.Threads);
        _model = new Model(_recipe, _context, Precisions.Type(task.Precision));
        _optimizer = new AdamW(
            _model.Store, new AdamWSettings(train.Beta1, train.Beta2, train.Epsilon, train.WeightDecay, train.Clip),
            parameter => AdamW.Decays(parameter, train.NoDecay), _context);
        _loss = new DeviceBuffer(_context, sizeof(float));
        _samples = [.. Enumerable.Range(0, train.Batch)];
        _noise = new byte[checked(train.Batch * image.Channels * image.Height * image.Width)];
        new Random(1).NextBytes(_noise);
        _pixels = new Upload(_context, _noise.LongLength);
        _mean = [.. Enumerable.Repeat(0.5f, image.Channels)];
        _std = [.. Enumerable.Repeat(0.29f, image.Channels)];
        _forward = () =>
        {
            _step!.Begin();
            Forward(_number);
        };
        _step = new Step(_context) { Compute = _model.Compute, Recompute = train.Recompute };
        var (arena, scratch) = _step.Plan(_ => Forward(number: 0));
        _planned = _model.Store.Bytes + arena + scratch + _context.ResidentBytes + _noise.LongLength + _pixels.Bytes + _pixels.HostBytes;
    }

    /// <summary>Runs and times the steps.</summary>
    /// <exception cref="NotFiniteNumberException">The loss is not finite in the end.</exception>
    public StepMeasurement Measure()
    {
        long number = 0;
        for (; number < WarmUp; number++)
        {
            Train(number);
        }
        _context.Synchronize();
        using var clock = new StepClock(_context);
        var start = Stopwatch.GetTimestamp();
        var native = _context.NativeTime;
        var allocated = GC.GetTotalAllocatedBytes(precise: true);
        while (clock.Steps < BenchmarkTask.LeastRepetitions || Stopwatch.GetElapsedTime(start).TotalSeconds < _task.Seconds)
        {
            clock.Begin();
            Train(number++);
            clock.End();
        }
        allocated = GC.GetTotalAllocatedBytes(precise: true) - allocated;
        native = _context.NativeTime - native;
        var (times, idle) = clock.Finish();
        var loss = ReadLoss();
        if (!float.IsFinite(loss))
        {
            throw new NotFiniteNumberException($"{_task.Name}: the loss of step {number} is not finite");
        }
        var isGpu = _context.Device.Kind == DeviceKind.Cuda;
        return new StepMeasurement
        {
            Parameters = _model.Store.TrainedCount,
            Milliseconds = times,
            PeakBytes = isGpu ? _context.MemoryPeak : ProcessMemory.Peak(),
            ImportBytes = isGpu ? 0 : _imported,
            Loss = loss,
            Threads = _context.Threads,
            Precision = _task.Precision == Precision.Bf16 ? "bf16" : "f32",
            Description = _context.Description,
            PlannedBytes = _planned,
            AllocatedBytes = (double)allocated / times.Count,
            OutsideNative = 1 - (native.TotalMilliseconds / times.Sum()),
            IdleShare = isGpu ? idle : null,
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _step.Dispose();
        _pixels.Dispose();
        _loss.Dispose();
        _optimizer.Dispose();
        _model.Dispose();
        _context.Dispose();
    }

    private void Train(long number)
    {
        _number = number;
        _pixels.Start<byte>(_noise);
        _context.Repeat(RepeatedWork.Batch, _forward);
        _optimizer.Update(LearningRate, _step);
    }

    // ... and backward: one call of the method. The masks of each step are new.
    private void Forward(long number)
    {
        var image = _recipe.Image;
        long batch = _samples.Length;
        var pixels = _pixels.View(DType.U8, batch, image.Height, image.Width, image.Channels);
        var images = Ops.NormalizeImages(pixels, _step.Resident(_mean, _mean.Length), _step.Resident(_std, _std.Length), _step);
        var key = new BatchKey(_samples, Seed: 1, Epoch: (int)number);
        _model.Method.TrainStep(_loss.View(DType.F32, 0, 1), images, key, _step);
    }

    private float ReadLoss()
    {
        float loss = 0;
        _step.Download(_loss.View(DType.F32, 0, 1), new Span<float>(ref loss));
        return loss;
    }
}
