namespace MimNative.Training;

/// <summary>
/// MAE's learning rate: rises linearly from 0 over the first epochs, then falls along half a cosine. It is a
/// function of the position in the run in epochs, e = epoch + i / n with i the micro-step of n in the
/// epoch, and stays the same within one optimiser step:
/// <code>
/// e &lt; warm-up:  rate * e / warm-up                              (so the very first step has the rate 0)
/// otherwise:    minimum + (rate - minimum) (1 + cos(pi (e - warm-up) / (epochs - warm-up))) / 2
/// </code>
/// </summary>
public sealed record LearningRateSchedule
{
    /// <summary>The highest rate, reached at the end of the warm-up.</summary>
    public required double Rate { get; init; }

    /// <summary>The rate at the end of the run.</summary>
    public double MinimumRate { get; init; }

    /// <summary>Length of the warm-up in epochs, which need not be whole.</summary>
    public double WarmupEpochs { get; init; }

    /// <summary>Length of the run in epochs.</summary>
    public required double Epochs { get; init; }

    /// <summary>Micro-steps of one epoch: batches, whether or not a step follows each.</summary>
    public required int MicroStepsPerEpoch { get; init; }

    /// <summary>Micro-steps whose gradients are accumulated for one optimiser step.</summary>
    public int Accumulation { get; init; } = 1;

    /// <summary>The rate in effect at a micro-step of an epoch, both counted from 0.</summary>
    public double At(int epoch, int microStep)
    {
        // upstream sets the rate only at the first micro-step of each optimiser step
        int first = microStep - (microStep % Accumulation);
        double position = epoch + ((double)first / MicroStepsPerEpoch);
        if (position < WarmupEpochs)
        {
            return Rate * position / WarmupEpochs;
        }
        double done = (position - WarmupEpochs) / (Epochs - WarmupEpochs);
        return MinimumRate + ((Rate - MinimumRate) * 0.5 * (1 + Math.Cos(Math.PI * done)));
    }
}
