using System.Text.Json;
using MimNative.Export;
using MimNative.Recipes;
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

    [Test]
    public void A_warm_up_may_begin_above_zero()
    {
        var schedule = new CosineSchedule { Rate = 1, WarmupRate = 0.2, WarmupEpochs = 2, Epochs = 4, MicroStepsPerEpoch = 2 };
        double[] rates = [.. Enumerable.Range(0, 5).Select(i => schedule.At(i / 2, i % 2))];
        Assert.That(rates, Is.EqualTo(new[] { 0.2, 0.4, 0.6, 0.8, 1 }).Within(1e-12));
    }

    [Test]
    public void SimMIMs_rates_are_those_of_the_step_before_and_fall_at_milestones()
    {
        var schedule = new MultiStepSchedule
        {
            Rate = 1,
            WarmupRate = 0,
            WarmupEpochs = 1,
            Epochs = 4,
            MicroStepsPerEpoch = 2,
            Milestones = [2, 3],
            Gamma = 0.5,
        };
        double[] rates = [.. Enumerable.Range(0, 8).Select(i => schedule.At(i / 2, i % 2))];
        Assert.That(rates, Is.EqualTo(new[] { 0, 0, 0.5, 1, 1, 0.5, 0.5, 0.25 }).Within(1e-12));
    }

    [Test]
    public void An_accumulated_step_of_SimMIM_has_the_rate_of_the_last_micro_step_before_it()
    {
        var schedule = new TimmCosineSchedule
        {
            Rate = 1,
            WarmupRate = 0,
            WarmupEpochs = 1,
            Epochs = 2,
            MicroStepsPerEpoch = 6,
            Accumulation = 3,
        };
        double[] rates = [.. Enumerable.Range(0, 12).Select(i => schedule.At(i / 6, i % 6))];
        double Cosine(int place) => 0.5 * (1 + Math.Cos(Math.PI * place / 12));
        double[] want = [0, 2.0 / 6, 5.0 / 6, Cosine(8)];
        Assert.That(rates, Is.EqualTo(want.SelectMany(w => Enumerable.Repeat(w, 3))).Within(1e-12));
    }

    [Test]
    public void A_recipe_chooses_its_schedule()
    {
        var swin = LearningRateSchedule.Of(Recipe.Load("simmim-swin-b-100e"), 10);
        var vit = LearningRateSchedule.Of(Recipe.Load("simmim-vit-b-800e"), 10);
        var pixmim = LearningRateSchedule.Of(Recipe.Load("pixmim-mae-vit-b16-300e"), 10);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(swin, Is.TypeOf<TimmCosineSchedule>());
            Assert.That((swin.Rate, swin.MinimumRate, swin.WarmupRate), Is.EqualTo((8e-4, 4e-5, 4e-6)).Within(1e-15));
            Assert.That(vit, Is.TypeOf<MultiStepSchedule>());
            Assert.That((vit.Rate, vit.WarmupRate, vit.At(0, 0)), Is.EqualTo((4e-4, 2e-6, 2e-6)).Within(1e-15));
            Assert.That(vit.At(799, 9), Is.EqualTo(4e-5).Within(1e-15));
            Assert.That(pixmim, Is.TypeOf<CosineSchedule>());
            Assert.That((pixmim.Rate, pixmim.WarmupRate), Is.EqualTo((2.4e-3, 2.4e-7)).Within(1e-15));
        }
    }
}
