using System.Diagnostics;
using System.Runtime.ExceptionServices;
using MimNative.Data;
using MimNative.Recipes;
using MimNative.Runtime;

namespace MimNative.Training;

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
    private readonly StepBatches _batches;
    private readonly AdamW _optimizer;
    private readonly LearningRateSchedule _schedule;
    private readonly TrainRecipe _train;
    private readonly RunState _begun;
    private readonly bool _runsAhead;
    private bool _isPrepared;
    private ExceptionDispatchInfo? _failure;

    /// <summary>A run from its beginning, or from where <paramref name="from"/> stands (the model is loaded by the caller).</summary>
    /// <exception cref="ArgumentException">The data holds fewer pictures than one step needs, ...</exception>
    public Pretrainer(Model model, IImageSource source, PretrainSettings settings, RunState? from = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(settings);
        _train = model.Recipe.Train;
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
        _runsAhead = settings.RunsAhead ?? model.Context.Device.Kind == DeviceKind.Cuda;
        _schedule = LearningRateSchedule.Of(model.Recipe, checked((int)StepsPerEpoch * _train.Accumulation));
        _optimizer = new AdamW(
            model.Store,
            new AdamWSettings(_train.Beta1, _train.Beta2, _train.Epsilon, _train.WeightDecay, _train.Clip),
            parameter => AdamW.Decays(parameter, _train.NoDecay), model.Context)
        { Steps = Progress.Step };
        _batches = new StepBatches(model, source, settings, Progress);
    }

    /// <summary>Optimiser steps of one epoch; pictures that do not fill a step are left out of the epoch.</summary>
    public long StepsPerEpoch { get; }

    /// <summary>Optimiser steps of the whole run.</summary>
    public long TotalSteps { get; }

    /// <summary>Memory that the run takes; known before its first step.</summary>
    public MemoryPlan Memory => _batches.Memory;

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
    public IReadOnlyList<SkippedImage> Skipped => _batches.Skipped;

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
        var waited = _batches.TotalWait;
        var (epoch, inEpoch) = (Progress.Epoch, Progress.StepInEpoch);
        _failure?.Throw();
        if (!_isPrepared)
        {
            _batches.Take(epoch);
        }
        _isPrepared = false;
        var rate = _schedule.At(epoch, inEpoch * _train.Accumulation);
        if (!_runsAhead)
        {
            _batches.StartReading();
            RequireFinite(_batches.Results().Loss, epoch);
        }
        _optimizer.Update(rate, _batches.Step);
        _batches.PutNorm(_optimizer.GradientNorm);
        _batches.StartReading();
        if (_runsAhead)
        {
            Prepare();
        }
        var (loss, norm) = _batches.Results();
        RequireFinite(loss, epoch);
        Progress = Next(loss);
        if (Progress.StepInEpoch == 0 && (!_runsAhead || IsDone))
        {
            _batches.SkipRest();
        }
        return new StepReport(
            Progress.Step, TotalSteps, epoch, loss, rate, norm, _train.Batch * _train.Accumulation,
            Stopwatch.GetElapsedTime(start).TotalSeconds, (_batches.TotalWait - waited).TotalSeconds);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _batches.Dispose();
        _optimizer.Dispose();
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
                _batches.SkipRest();
            }
            _batches.Take(Progress.Epoch + (endsEpoch ? 1 : 0));
            _isPrepared = true;
        }
        catch (Exception failure)
        {
            _failure = ExceptionDispatchInfo.Capture(failure);
        }
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
}
