using System.Text.Json;
using MimNative.Export;
using MimNative.Training;
using NUnit.Framework;

namespace MimNative.Tests.Training;

public sealed class LearningRateScheduleTests
{
    [Test]
    public void Every_micro_step_has_the_rate_of_the_upstream_code([Range(0, 5)] int setting)
    {
        using SafetensorsFile golden = Golden.Open("lr_mae_cosine");
        using JsonDocument json = JsonDocument.Parse(golden.Metadata[$"setting_{setting}"]);
        double Number(string name) => json.RootElement.GetProperty(name).GetDouble();
        var schedule = new CosineSchedule
        {
            Rate = Number("lr"),
            MinimumRate = Number("min_lr"),
            WarmupEpochs = Number("warmup_epochs"),
            Epochs = Number("epochs"),
            MicroStepsPerEpoch = (int)Number("iters_per_epoch"),
            Accumulation = (int)Number("accum_iter"),
        };
        float[] want = golden.ReadFloats($"lr/{setting}");
        Assert.That(want, Has.Length.EqualTo((int)schedule.Epochs * schedule.MicroStepsPerEpoch));
        for (int i = 0; i < want.Length; ++i)
        {
            double rate = schedule.At(i / schedule.MicroStepsPerEpoch, i % schedule.MicroStepsPerEpoch);
            Assert.That(rate, Is.EqualTo(want[i]).Within(1e-6 * want[i]), $"micro-step {i}");
        }
    }

    [Test]
    public void Warm_up_begins_at_zero_and_the_run_ends_at_the_minimum()
    {
        var schedule = new CosineSchedule
        {
            Rate = 2.4e-3,
            MinimumRate = 1e-6,
            WarmupEpochs = 40,
            Epochs = 800,
            MicroStepsPerEpoch = 312,
        };
        Assert.That(schedule.At(0, 0), Is.Zero);
        Assert.That(schedule.At(40, 0), Is.EqualTo(2.4e-3).Within(1e-15));
        Assert.That(schedule.At(800, 0), Is.EqualTo(1e-6).Within(1e-15));
    }
}
