using MimNative.Recipes;

namespace MimNative.Training;

/// <summary>The learning rate as a function of the position in the run, the same within one optimiser step.</summary>
public abstract record LearningRateSchedule
{
    /// <summary>The highest rate.</summary>
    public required double Rate { get; init; }

    /// <summary>The rate that a cosine ends with.</summary>
    public double MinimumRate { get; init; }

    /// <summary>The rate that the warm-up begins with.</summary>
    public double WarmupRate { get; init; }

    /// <summary>Length of the warm-up in epochs, which need not be whole.</summary>
    public double WarmupEpochs { get; init; }

    /// <summary>Length of the run in epochs.</summary>
    public required double Epochs { get; init; }

    /// <summary>Micro-steps of one epoch: batches, whether or not a step follows each.</summary>
    public required int MicroStepsPerEpoch { get; init; }

    /// <summary>Micro-steps whose gradients are accumulated for one optimiser step.</summary>
    public int Accumulation { get; init; } = 1;

    /// <summary>The schedule of a recipe.</summary>
    public static LearningRateSchedule Of(Recipe recipe, int microStepsPerEpoch)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        var train = recipe.Train;
        LearningRateSchedule schedule = train.Schedule switch
        {
            ScheduleKind.Cosine => new CosineSchedule { Rate = 0, Epochs = 0, MicroStepsPerEpoch = 0 },
            ScheduleKind.TimmCosine => new TimmCosineSchedule { Rate = 0, Epochs = 0, MicroStepsPerEpoch = 0 },
            _ => new MultiStepSchedule
            {
                Rate = 0,
                Epochs = 0,
                MicroStepsPerEpoch = 0,
                Milestones = train.Milestones,
                Gamma = train.Gamma,
            },
        };
        return schedule with
        {
            Rate = recipe.EffectiveLearningRate(),
            MinimumRate = recipe.EffectiveMinimumLearningRate(),
            WarmupRate = recipe.EffectiveWarmupLearningRate(),
            WarmupEpochs = train.WarmupEpochs,
            Epochs = train.Epochs,
            MicroStepsPerEpoch = microStepsPerEpoch,
            Accumulation = train.Accumulation,
        };
    }

    /// <summary>The rate in effect at a micro-step of an epoch, both counted from 0.</summary>
    public double At(int epoch, int microStep) =>
        // upstream sets the rate only at the first micro-step of each optimiser step
        AtStep(epoch, microStep - (microStep % Accumulation));

    /// <summary>The rate of the optimiser step that begins with this micro-step.</summary>
    protected abstract double AtStep(int epoch, int first);
}

/// <summary>
/// MAE's: rises linearly over the first epochs, then falls along half a cosine, in e = epoch + i / n with i the micro-step of n in the
/// epoch:
/// <code>
/// e &lt; warm-up:  start + (rate - start) e / warm-up              (start is 0 in MAE, so the very first step has the rate 0)
/// otherwise:    minimum + (rate - minimum) (1 + cos(pi (e - warm-up) / (epochs - warm-up))) / 2
/// </code>
/// </summary>
public sealed record CosineSchedule : LearningRateSchedule
{
    /// <inheritdoc/>
    protected override double AtStep(int epoch, int first)
    {
        var position = epoch + ((double)first / MicroStepsPerEpoch);
        if (position < WarmupEpochs)
        {
            return WarmupRate + ((Rate - WarmupRate) * position / WarmupEpochs);
        }
        var done = (position - WarmupEpochs) / (Epochs - WarmupEpochs);
        return MinimumRate + ((Rate - MinimumRate) * 0.5 * (1 + Math.Cos(Math.PI * done)));
    }
}

/// <summary>
/// SimMIM's: upstream moves its schedule after each step by that step's number, so that step k >= 1 has the rate of place k - 1, and the
/// first step the warm-up's first rate once more. Places are micro-steps since the beginning.
/// </summary>
public abstract record DelayedSchedule : LearningRateSchedule
{
    /// <inheritdoc/>
    protected override double AtStep(int epoch, int first)
    {
        var warmup = (long)(WarmupEpochs * MicroStepsPerEpoch);
        var place = Math.Max(0, ((long)epoch * MicroStepsPerEpoch) + first - 1);
        return place < warmup ? WarmupRate + (place * (Rate - WarmupRate) / warmup) : Settled(place);
    }

    /// <summary>The rate at a place behind the warm-up.</summary>
    protected abstract double Settled(long place);
}

/// <summary>timm's cosine, which runs over the whole length under the warm-up: minimum + (rate - minimum) (1 + cos(pi t / T)) / 2.</summary>
public sealed record TimmCosineSchedule : DelayedSchedule
{
    /// <inheritdoc/>
    protected override double Settled(long place)
    {
        var length = (long)(Epochs * MicroStepsPerEpoch);
        return MinimumRate + (0.5 * (Rate - MinimumRate) * (1 + Math.Cos(Math.PI * place / length)));
    }
}

/// <summary>Constant, multiplied by gamma at each milestone.</summary>
public sealed record MultiStepSchedule : DelayedSchedule
{
    /// <summary>Epochs at which the rate falls.</summary>
    public required IReadOnlyList<int> Milestones { get; init; }

    /// <summary>The factor.</summary>
    public double Gamma { get; init; } = 0.1;

    /// <inheritdoc/>
    protected override double Settled(long place) =>
        Rate * Math.Pow(Gamma, Milestones.Count(m => (long)m * MicroStepsPerEpoch <= place));
}
