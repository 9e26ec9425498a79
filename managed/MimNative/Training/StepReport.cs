namespace MimNative.Training;

/// <summary>What is known after an optimiser step.</summary>
/// <param name="Step">Steps done since the start of the run.</param>
/// <param name="TotalSteps">Steps of the whole run.</param>
/// <param name="Epoch">The epoch that the step belonged to, from 0.</param>
/// <param name="Loss">The step's loss: the mean over its micro-steps.</param>
/// <param name="LearningRate">The rate that the step used.</param>
/// <param name="GradientNorm">L2 norm of all gradients, before clipping.</param>
/// <param name="Images">Images of the step.</param>
/// <param name="Seconds">Time that the step took, waiting for data included.</param>
/// <param name="DataWaitSeconds">Time of it that the step waited for data.</param>
public readonly record struct StepReport(
    long Step, long TotalSteps, int Epoch, float Loss, double LearningRate, float GradientNorm, int Images,
    double Seconds, double DataWaitSeconds)
{
    /// <summary>Images per second.</summary>
    public double ImagesPerSecond => Images / Seconds;

    /// <summary>Share of the step that it waited for data, 0 to 1.</summary>
    public double DataWaitShare => DataWaitSeconds / Seconds;
}

/// <summary>The counters of a run: the part of its <see cref="RunState"/> that changes with every step.</summary>
/// <param name="Step">Optimiser steps done since the start of the run.</param>
/// <param name="Epoch">The epoch that the next step belongs to, from 0.</param>
/// <param name="StepInEpoch">Optimiser steps of that epoch already done.</param>
/// <param name="SamplesSeen">Images seen since the start of the run.</param>
/// <param name="LossSum">Sum of the losses of the epoch so far.</param>
/// <param name="LossCount">Number of losses in LossSum.</param>
public readonly record struct RunProgress(
    long Step, int Epoch, int StepInEpoch, long SamplesSeen, double LossSum, long LossCount);

/// <summary>Memory of a run, known before its first step.</summary>
/// <param name="Parameters">Values, gradients and both moments.</param>
/// <param name="Activations">The arena of a step, and the tables that stay beside it.</param>
/// <param name="Scratch">The ops' scratch memory.</param>
/// <param name="Batches">Batches in flight between loader and step, on the host and on the device.</param>
public readonly record struct MemoryPlan(long Parameters, long Activations, long Scratch, long Batches)
{
    /// <summary>All of it, in bytes.</summary>
    public long Total => Parameters + Activations + Scratch + Batches;
}
