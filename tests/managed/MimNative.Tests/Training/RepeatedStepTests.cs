using MimNative.Data;
using MimNative.Recipes;
using MimNative.Runtime;
using MimNative.Tests.Cli;
using MimNative.Training;
using NUnit.Framework;

namespace MimNative.Tests.Training;

/// <summary>Training on a CUDA device starts recorded steps, and computes the same with them as without.</summary>
[Platform("Linux")]
public sealed class RepeatedStepTests
{
    private const int Steps = 5, Accumulation = 2;

    [TestCase("method=mae", DType.F32)]
    [TestCase("method=mae train.clip=0.5", DType.BF16)]
    [TestCase("method=simmim decoder.kind=linear mask.patch=8 train.clip=5 encoder.drop_path=0.1 target.low_pass=6", DType.F32)]
    [TestCase(
        "method=simmim decoder.kind=linear mask.patch=8 encoder.kind=swin encoder.depths=[2,1] encoder.stage_heads=[2,4] encoder.window=2",
        DType.F32)]
    [TestCase("method=mae encoder.kind=conv_vit encoder.patch=8 encoder.dims=[8,12,16] encoder.depths=[1,1,1] encoder.heads=2", DType.F32)]
    [TestCase("method=mae mask.downsampling=2 decoder.downsampling=2", DType.F32)]
    [TestCase("method=lomar decoder.kind=mlp mask.window=3 mask.windows=2 mask.shared_windows=false", DType.F32)]
    public void Training_with_recorded_steps_is_the_same_bit_for_bit(string settings, DType compute)
    {
        var (plain, none) = Train(settings, compute, records: false);
        var (recorded, replayed) = Train(settings, compute, records: true);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(recorded, Is.EqualTo(plain));
            Assert.That(none, Is.Zero);
            // of batches and of updates the first is done as asked for and two are recorded, over the ends of epochs too; batches are one
            // step ahead
            Assert.That(replayed, Is.EqualTo(((Steps + 1) * Accumulation) - 3 + Steps - 3));
        }
    }

    // Loss and norm of every step, and the parameters behind the last.
    private static (float[] Numbers, long Replayed) Train(string settings, DType compute, bool records)
    {
        string[] all = settings.Split(' ');
        var recipe = Recipe.FromJson(
            TinyRun.RecipeFor(all), "tiny",
            [
                "image.height=16", "image.width=16", "encoder.patch=4", .. all, "train.batch=2", $"train.accumulation={Accumulation}",
                "train.epochs=20", "train.schedule=cosine",
            ]);
        using var source = new ShapesSource(9, 40, 40, seed: 3);
        using var context = EmulatedDevice.Open();
        context.RecordsSteps = records;
        using var model = new Model(recipe, context, compute);
        using var pretrainer = new Pretrainer(model, source, new PretrainSettings { Workers = 1 });
        var numbers = new List<float>();
        for (var i = 0; i < Steps; i++)
        {
            var report = pretrainer.Advance();
            numbers.AddRange([report.Loss, report.GradientNorm]);
        }
        using var step = new Step(context);
        numbers.AddRange(step.ToArray<float>(model.Store.Values));
        return ([.. numbers], context.ReplayedSteps);
    }
}
