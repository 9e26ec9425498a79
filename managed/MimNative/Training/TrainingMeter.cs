using System.Diagnostics.Metrics;

namespace MimNative.Training;

/// <summary>
/// What a training run tells the outside while it goes, for example <c>dotnet-counters monitor --counters
/// MimNative</c> or an OpenTelemetry exporter. The meter is called MimNative; its instruments are
/// <list type="table">
/// <item><term>mimnative.training.loss</term><description>gauge: loss of the last step</description></item>
/// <item><term>mimnative.training.learning_rate</term><description>gauge: its learning rate</description></item>
/// <item><term>mimnative.training.steps</term><description>counter: optimiser steps done</description></item>
/// <item><term>mimnative.training.images</term><description>counter: images seen</description></item>
/// <item><term>mimnative.training.step_time</term><description>histogram, s: time of a step</description></item>
/// <item><term>mimnative.training.data_wait</term><description>histogram, s: the part of it that was spent
/// waiting for images</description></item>
/// </list>
/// </summary>
public static class TrainingMeter
{
    /// <summary>The meter's name.</summary>
    public const string Name = "MimNative";

    private static readonly Meter Source = new(Name);

    private static readonly Gauge<double> Loss =
        Source.CreateGauge<double>("mimnative.training.loss", null, "Loss of the last step");

    private static readonly Gauge<double> LearningRate =
        Source.CreateGauge<double>("mimnative.training.learning_rate", null, "Learning rate of the last step");

    private static readonly Counter<long> Steps =
        Source.CreateCounter<long>("mimnative.training.steps", "{step}", "Optimiser steps done");

    private static readonly Counter<long> Images =
        Source.CreateCounter<long>("mimnative.training.images", "{image}", "Images seen");

    private static readonly Histogram<double> StepTime =
        Source.CreateHistogram<double>("mimnative.training.step_time", "s", "Time of a step");

    private static readonly Histogram<double> DataWait = Source.CreateHistogram<double>(
        "mimnative.training.data_wait", "s", "Time of a step spent waiting for images");

    /// <summary>Reports one optimiser step.</summary>
    public static void RecordStep(
        double loss, double learningRate, int images, TimeSpan stepTime, TimeSpan dataWait)
    {
        Loss.Record(loss);
        LearningRate.Record(learningRate);
        Steps.Add(1);
        Images.Add(images);
        StepTime.Record(stepTime.TotalSeconds);
        DataWait.Record(dataWait.TotalSeconds);
    }
}
