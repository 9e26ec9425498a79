using System.Diagnostics.Metrics;
using MimNative.Training;
using NUnit.Framework;

namespace MimNative.Tests.Training;

[NonParallelizable]
public sealed class TrainingMeterTests
{
    [Test]
    public void A_step_reaches_whoever_listens()
    {
        var seen = new Dictionary<string, double>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Name == "MimNative")
                {
                    self.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => seen[instrument.Name] = value);
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => seen[instrument.Name] = value);
        listener.Start();

        TrainingMeter.RecordStep(0.5, 1e-4, 64, TimeSpan.FromSeconds(2), TimeSpan.FromMilliseconds(250));

        Assert.That(seen, Is.EquivalentTo(new Dictionary<string, double>
        {
            ["mimnative.training.loss"] = 0.5,
            ["mimnative.training.learning_rate"] = 1e-4,
            ["mimnative.training.steps"] = 1,
            ["mimnative.training.images"] = 64,
            ["mimnative.training.step_time"] = 2,
            ["mimnative.training.data_wait"] = 0.25,
        }));
    }
}
