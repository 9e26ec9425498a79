using MimNative.Data;
using MimNative.Recipes;
using MimNative.Runtime;

namespace MimNative.Training;

/// <summary>
/// The batches of one optimiser step, forward and backward: from the loader to the device, through the method, to gradients and losses.
/// The losses, and the gradients' norm behind them, are read back when the device has them.
/// </summary>
internal sealed class StepBatches : IDisposable
{
    private readonly Model _model;
    private readonly TrainRecipe _train;
    private readonly ImageLoader _loader;
    private readonly DeviceBuffer _losses;
    private readonly Readback _results;
    private readonly Upload _pixels;
    private readonly float[] _mean, _std;
    private readonly Action _trainOnBatch;
    private ImageBatch? _batch;
    private int _epoch;

    /// <summary>For a run that stands where <paramref name="progress"/> does.</summary>
    public StepBatches(Model model, IImageSource source, PretrainSettings settings, in RunProgress progress)
    {
        _model = model;
        _train = model.Recipe.Train;
        _epoch = progress.Epoch;
        var image = model.Recipe.Image;
        (_mean, _std) = (Channels(image.Mean), Channels(image.Std));
        _trainOnBatch = TrainOnBatch;
        _losses = new DeviceBuffer(model.Context, sizeof(float) * (_train.Accumulation + 2));
        _results = new Readback(model.Context, sizeof(float) * (_train.Accumulation + 1));
        var batch = _train.Batch * 3L * image.Height * image.Width;
        _pixels = new Upload(model.Context, batch);
        Step = new Step(model.Context) { Compute = model.Compute, Recompute = _train.Recompute };
        var resident = model.Context.ResidentBytes;
        var (arena, scratch) = Step.Plan(
            _ => TrainStep(_pixels.View(DType.U8, _train.Batch, image.Height, image.Width, 3), new long[_train.Batch]));
        var options = new LoaderOptions
        {
            BatchSize = _train.Batch,
            Seed = unchecked((long)_train.Seed),
            Workers = settings.Workers,
            Strict = settings.Strict,
            Skipped = settings.Skipped,
            StartEpoch = progress.Epoch,
            StartBatch = (long)progress.StepInEpoch * _train.Accumulation,
        };
        _loader = new ImageLoader(source, Transforms.Create(model.Recipe), options);
        Memory = new MemoryPlan(
            model.Store.Bytes, arena + (model.Context.ResidentBytes - resident), scratch,
            (batch * (options.Prefetch + 1)) + _pixels.Bytes + _pixels.HostBytes);
    }

    /// <summary>The step that they are computed in; the update may use it behind them.</summary>
    public Step Step { get; }

    /// <summary>Memory of the model, of a step and of its pictures.</summary>
    public MemoryPlan Memory { get; }

    /// <summary>Time that was spent waiting for pictures.</summary>
    public TimeSpan TotalWait => _loader.TotalWait;

    /// <summary>Pictures that were skipped so far because they cannot be decoded.</summary>
    public IReadOnlyList<SkippedImage> Skipped => _loader.Skipped();

    /// <summary>Asks for forward and backward of the next step's batches; their gradients are added.</summary>
    public void Take(int epoch)
    {
        _epoch = epoch;
        for (var i = 0; i < _train.Accumulation; i++)
        {
            _batch = _loader.Next();
            try
            {
                _pixels.Start<byte>(_batch.Pixels);  // once, however often the batch is asked for
                _model.Context.Repeat(RepeatedWork.Batch, _trainOnBatch);
                Step.Copy(ResultAt(1 + i), ResultAt(0));
            }
            finally
            {
                _loader.Return(_batch);
            }
        }
    }

    /// <summary>Passes over the batches of the epoch that do not fill a step.</summary>
    public void SkipRest()
    {
        for (var rest = _loader.BatchesPerEpoch % _train.Accumulation; rest > 0; rest--)
        {
            _loader.Return(_loader.Next());
        }
    }

    /// <summary>Puts the gradients' norm behind the losses.</summary>
    public void PutNorm(Tensor norm) => Step.Copy(ResultAt(1 + _train.Accumulation), norm);

    /// <summary>Asks for the losses and the norm; what comes later does not change them.</summary>
    public void StartReading() => _results.Start(_losses.View(DType.F32, sizeof(float), _train.Accumulation + 1));

    /// <summary>Waits for what was asked for: the mean loss of the batches, and the norm where one was put.</summary>
    public (float Loss, float Norm) Results()
    {
        var results = _results.Wait<float>();
        double sum = 0;
        foreach (var batch in results[..^1])
        {
            sum += batch;
        }
        return ((float)(sum / (results.Length - 1)), results[^1]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _loader.Dispose();
        Step.Dispose();
        _pixels.Dispose();
        _results.Dispose();
        _losses.Dispose();
    }

    private void TrainOnBatch()
    {
        Step.Begin();
        TrainStep(_pixels.View(DType.U8, _batch!.Count, _batch.Height, _batch.Width, 3), _batch.Keys);
    }

    // pixels: (B, H, W, 3) bytes.
    private void TrainStep(Tensor pixels, ReadOnlyMemory<long> samples)
    {
        var images = Ops.NormalizeImages(pixels, Step.Resident(_mean, _mean.Length), Step.Resident(_std, _std.Length), Step);
        var key = new BatchKey(samples, unchecked((long)_train.Seed), _epoch);
        _model.Method.TrainStep(ResultAt(0), images, key, Step, gradScale: 1f / _train.Accumulation);
    }

    // Every batch has its loss at place 0, so that all are the same work, and then behind those before it; the norm is last.
    private Tensor ResultAt(int place) => _losses.View(DType.F32, sizeof(float) * place, 1);

    private static float[] Channels(IReadOnlyList<double> values) => [.. values.Select(value => (float)value)];
}
