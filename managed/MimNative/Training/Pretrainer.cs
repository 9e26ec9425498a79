using System.Diagnostics;
using System.Runtime.ExceptionServices;
using MimNative.Data;
using MimNative.Recipes;
using MimNative.Runtime;

namespace MimNative.Training;

/// <summary>Settings of a run that change neither its numbers nor what it learns.</summary>
public sealed record PretrainSettings
{
    /// <summary>Threads that decode and augment pictures.</summary>
    public int Workers { get; init; } = Math.Max(1, Environment.ProcessorCount - 1);

    /// <summary>Makes a picture that cannot be decoded an error instead of skipping it.</summary>
    public bool Strict { get; init; }

    /// <summary>Called once for every picture that is skipped.</summary>
    public Action<SkippedImage>? Skipped { get; init; }

    /// <summary>For tests: whether the batches of the next step are asked for before the results of this one are there; otherwise as the
    /// device needs it.</summary>
    internal bool? RunsAhead { get; init; }
}

/// <summary>
/// The training loop: batches, masks, forward and backward, the learning rate, the optimiser. What it computes is a function of the
/// recipe, the data and the thread count; a run that was stopped after any step and continued from its state goes on bit for bit
/// as if it had not been stopped.
/// </summary>
/// <remarks>
/// A device that works by itself is not kept waiting for the host: it has the batches of the next step before the host waits for the loss
/// of this one, and their pixels travel while it still computes. What is reported and what a checkpoint holds is the same.
/// </remarks>
public sealed class Pretrainer : IDisposable
{
    private readonly Model _model;
    private readonly Step _step;
    private readonly ImageLoader _loader;
    private readonly AdamW _optimizer;
    private readonly LearningRateSchedule _schedule;
    private readonly DeviceBuffer _losses;
    private readonly TrainRecipe _train;
    private readonly RunState _begun;
    private readonly Readback _results;
    private readonly Upload _pixels;
    private readonly bool _runsAhead;
    private readonly float[] _mean, _std;
    private readonly Action _trainOnBatch;
    private ImageBatch? _batch;
    private int _epoch;  // of the batches that are asked for
    private bool _isPrepared;
    private ExceptionDispatchInfo? _failure;

    /// <summary>A run from its beginning, or from where <paramref name="from"/> stands (the model is loaded by the caller).</summary>
    /// <exception cref="ArgumentException">The data holds fewer pictures than one step needs, ...</exception>
    public Pretrainer(Model model, IImageSource source, PretrainSettings settings, RunState? from = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(settings);
        _model = model;
        _train = model.Recipe.Train;
        var image = model.Recipe.Image;
        StepsPerEpoch = RequireFits(model.Recipe, source.Count);
        TotalSteps = StepsPerEpoch * _train.Epochs;
        _begun = from ?? new RunState
        {
            Step = 0,
            Epoch = 0,
            StepInEpoch = 0,
            Seed = _train.Seed,
            Precision = model.Compute == DType.BF16 ? Precision.Bf16 : Precision.F32,
            Recipe = model.Recipe.Name,
        };
        if (Precisions.Type(_begun.Precision) != model.Compute)
        {
            throw new ArgumentException($"the run computed in {_begun.Precision} so far, the model is made for {model.Compute}");
        }
        Progress = new RunProgress(
            _begun.Step, _begun.Epoch, _begun.StepInEpoch, _begun.SamplesSeen, _begun.LossSum, _begun.LossCount);
        _epoch = Progress.Epoch;
        _runsAhead = settings.RunsAhead ?? model.Context.Device.Kind == DeviceKind.Cuda;
        (_mean, _std) = (Channels(image.Mean), Channels(image.Std));
        _trainOnBatch = TrainOnBatch;
        _schedule = LearningRateSchedule.Of(model.Recipe, checked((int)StepsPerEpoch * _train.Accumulation));
        _optimizer = new AdamW(
            model.Store,
            new AdamWSettings(_train.Beta1, _train.Beta2, _train.Epsilon, _train.WeightDecay, _train.Clip),
            parameter => AdamW.Decays(parameter, _train.NoDecay), model.Context)
        { Steps = Progress.Step };
        _losses = new DeviceBuffer(model.Context, sizeof(float) * (_train.Accumulation + 2));
        _results = new Readback(model.Context, sizeof(float) * (_train.Accumulation + 1));
        var batch = _train.Batch * 3L * image.Height * image.Width;
        _pixels = new Upload(model.Context, batch);
        _step = new Step(model.Context) { Compute = model.Compute, Recompute = _train.Recompute };
        var resident = model.Context.ResidentBytes;
        var (arena, scratch) = _step.Plan(
            _ => TrainStep(_pixels.View(DType.U8, _train.Batch, image.Height, image.Width, 3), new long[_train.Batch]));
        var options = new LoaderOptions
        {
            BatchSize = _train.Batch,
            Seed = unchecked((long)_train.Seed),
            Workers = settings.Workers,
            Strict = settings.Strict,
            Skipped = settings.Skipped,
            StartEpoch = Progress.Epoch,
            StartBatch = (long)Progress.StepInEpoch * _train.Accumulation,
        };
        _loader = new ImageLoader(source, Transforms.Create(model.Recipe), options);
        Memory = new MemoryPlan(
            model.Store.Bytes, arena + (model.Context.ResidentBytes - resident), scratch,
            (batch * (options.Prefetch + 1)) + _pixels.Bytes + _pixels.HostBytes);
    }

    /// <summary>Optimiser steps of one epoch; pictures that do not fill a step are left out of the epoch.</summary>
    public long StepsPerEpoch { get; }

    /// <summary>Optimiser steps of the whole run.</summary>
    public long TotalSteps { get; }

    /// <summary>Memory that the run takes; known before its first step.</summary>
    public MemoryPlan Memory { get; }

    /// <summary>Where the run stands after the latest step.</summary>
    public RunProgress Progress { get; private set; }

    /// <summary>The same as a checkpoint holds it, made anew for every caller.</summary>
    public RunState State => _begun with
    {
        Step = Progress.Step,
        Epoch = Progress.Epoch,
        StepInEpoch = Progress.StepInEpoch,
        SamplesSeen = Progress.SamplesSeen,
        LossSum = Progress.LossSum,
        LossCount = Progress.LossCount,
    };

    /// <summary>Whether all epochs are done.</summary>
    public bool IsDone => Progress.Step >= TotalSteps;

    /// <summary>Pictures that were skipped so far because they cannot be decoded.</summary>
    public IReadOnlyList<SkippedImage> Skipped => _loader.Skipped();

    /// <summary>Whether a recipe can be trained on so many pictures: the optimiser steps of an epoch.</summary>
    /// <exception cref="ArgumentException">It cannot; the sentence says what to change.</exception>
    public static long RequireFits(Recipe recipe, int images)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        var (train, image) = (recipe.Train, recipe.Image);
        if (image.Channels != 3)
        {
            throw new ArgumentException($"image.channels is {image.Channels}, but pictures are read with 3 channels");
        }
        if ((long)train.Batch * image.Channels * image.Height * image.Width > Array.MaxLength)
        {
            throw new ArgumentException(
                $"train.batch is {train.Batch}: so many pictures of {image.Height} x {image.Width} do not fit one array; " +
                "set a smaller train.batch and a larger train.accumulation");
        }
        var steps = images / train.Batch / train.Accumulation;
        return steps > 0
            ? steps
            : throw new ArgumentException(
                $"the data holds {images} images, fewer than the {(long)train.Batch * train.Accumulation} of one step " +
                $"(train.batch {train.Batch} x train.accumulation {train.Accumulation}); set a smaller train.batch");
    }

    /// <summary>
    /// One optimiser step: all its micro-batches forward and backward, then the update. From the second step on, it allocates no managed
    /// memory.
    /// </summary>
    /// <exception cref="NotFiniteNumberException">The loss is not finite; the parameters are those before the step (on a device that runs
    /// ahead where the gradients are not finite either).</exception>
    public StepReport Advance()
    {
        var start = Stopwatch.GetTimestamp();
        var waited = _loader.TotalWait;
        var (epoch, inEpoch) = (Progress.Epoch, Progress.StepInEpoch);
        _failure?.Throw();
        if (!_isPrepared)
        {
            TakeBatches(epoch);
        }
        _isPrepared = false;
        var rate = _schedule.At(epoch, inEpoch * _train.Accumulation);
        if (!_runsAhead)
        {
            StartReading();
            RequireFinite(LossOf(Results()), epoch);
        }
        _optimizer.Update(rate, _step);
        _step.Copy(ResultAt(1 + _train.Accumulation), _optimizer.GradientNorm);
        StartReading();
        if (_runsAhead)
        {
            Prepare();
        }
        var results = Results();
        var (loss, norm) = (LossOf(results), results[^1]);
        RequireFinite(loss, epoch);
        Progress = Next(loss);
        if (Progress.StepInEpoch == 0 && (!_runsAhead || IsDone))
        {
            SkipRest();
        }
        return new StepReport(
            Progress.Step, TotalSteps, epoch, loss, rate, norm, _train.Batch * _train.Accumulation,
            Stopwatch.GetElapsedTime(start).TotalSeconds, (_loader.TotalWait - waited).TotalSeconds);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _loader.Dispose();
        _step.Dispose();
        _pixels.Dispose();
        _results.Dispose();
        _losses.Dispose();
        _optimizer.Dispose();
    }

    // Forward and backward of a step's batches.
    private void TakeBatches(int epoch)
    {
        _epoch = epoch;
        for (var i = 0; i < _train.Accumulation; i++)
        {
            _batch = _loader.Next();
            try
            {
                _pixels.Start<byte>(_batch.Pixels);  // once, however often the batch is asked for
                _model.Context.Repeat(RepeatedWork.Batch, _trainOnBatch);
                _step.Copy(ResultAt(1 + i), ResultAt(0));
            }
            finally
            {
                _loader.Return(_batch);
            }
        }
    }

    // Asks for the batches of the next step. They change gradients alone, so parameters and moments stay those of this one; and what
    // fails is an error of the next one.
    private void Prepare()
    {
        if (Progress.Step + 1 >= TotalSteps)
        {
            return;
        }
        var endsEpoch = Progress.StepInEpoch + 1 == StepsPerEpoch;
        try
        {
            if (endsEpoch)
            {
                SkipRest();
            }
            TakeBatches(Progress.Epoch + (endsEpoch ? 1 : 0));
            _isPrepared = true;
        }
        catch (Exception failure)
        {
            _failure = ExceptionDispatchInfo.Capture(failure);
        }
    }

    private void TrainOnBatch()
    {
        _step.Begin();
        TrainStep(_pixels.View(DType.U8, _batch!.Count, _batch.Height, _batch.Width, 3), _batch.Samples);
    }

    // pixels: (B, H, W, 3) bytes.
    private void TrainStep(Tensor pixels, ReadOnlyMemory<long> samples)
    {
        var images = Ops.NormalizeImages(pixels, _step.Resident(_mean, _mean.Length), _step.Resident(_std, _std.Length), _step);
        var key = new BatchKey(samples, unchecked((long)_train.Seed), _epoch);
        _model.Method.TrainStep(ResultAt(0), images, key, _step, gradScale: 1f / _train.Accumulation);
    }

    private static float[] Channels(IReadOnlyList<double> values) => [.. values.Select(value => (float)value)];

    // Every batch has its loss at place 0, so that all are the same work, and then behind those before it; the gradient norm is last.
    private Tensor ResultAt(int place) => _losses.View(DType.F32, sizeof(float) * place, 1);

    private void StartReading() => _results.Start(_losses.View(DType.F32, sizeof(float), _train.Accumulation + 1));

    private ReadOnlySpan<float> Results() => _results.Wait<float>();

    private static float LossOf(ReadOnlySpan<float> results)
    {
        double sum = 0;
        foreach (var micro in results[..^1])
        {
            sum += micro;
        }
        return (float)(sum / (results.Length - 1));
    }

    private void RequireFinite(float loss, int epoch)
    {
        if (!float.IsFinite(loss))
        {
            throw new NotFiniteNumberException(
                $"the loss of step {Progress.Step + 1} (epoch {epoch}) is {loss}; try a smaller train.base_lr or set train.clip", loss);
        }
    }

    private RunProgress Next(float loss)
    {
        var endsEpoch = Progress.StepInEpoch + 1 == StepsPerEpoch;
        var begins = Progress.StepInEpoch == 0;
        return new RunProgress(
            Progress.Step + 1, Progress.Epoch + (endsEpoch ? 1 : 0), endsEpoch ? 0 : Progress.StepInEpoch + 1,
            Progress.SamplesSeen + ((long)_train.Batch * _train.Accumulation), (begins ? 0 : Progress.LossSum) + loss,
            (begins ? 0 : Progress.LossCount) + 1);
    }

    // Batches of the epoch that do not fill a step.
    private void SkipRest()
    {
        for (var rest = _loader.BatchesPerEpoch % _train.Accumulation; rest > 0; rest--)
        {
            _loader.Return(_loader.Next());
        }
    }
}
