using MimNative.Data;
using MimNative.Recipes;
using MimNative.Runtime;
using MimNative.Tests.Cli;
using MimNative.Training;
using NUnit.Framework;

namespace MimNative.Tests.Training;

[NonParallelizable]  // a collection, whoever causes it, counts what is left of this thread's share of memory as allocated
public sealed class PretrainerTests
{
    [TestCase("method=mae")]
    [TestCase("method=simmim decoder.kind=linear mask.patch=16 train.clip=5 encoder.drop_path=0.1 target.low_pass=6")]
    [TestCase("method=simmim decoder.kind=linear mask.patch=16 encoder.kind=swin encoder.depths=[2,1] encoder.stage_heads=[2,4] encoder.window=2")]
    [TestCase("method=mae encoder.kind=conv_vit encoder.dims=[8,12,16] encoder.depths=[1,1,1] encoder.heads=2")]
    [TestCase("method=mae mask.downsampling=2 decoder.downsampling=2 decoder.prediction_downsampling=2")]
    [TestCase("method=lomar decoder.kind=mlp mask.window=3 mask.windows=2 mask.shared_windows=false")]
    public void An_optimiser_step_allocates_nothing_on_its_thread(string settings)
    {
        string[] all = settings.Split(' ');
        var recipe = Recipe.FromJson(
            TinyRun.RecipeFor(all), "tiny",
            [.. all, "train.batch=3", "train.accumulation=2", "train.epochs=20", "train.schedule=cosine"]);
        using var source = new ShapesSource(17, 40, 40, seed: 3);
        using var context = new Context(Device.Cpu, threads: 1);
        using var model = new Model(recipe, context);
        using var pretrainer = new Pretrainer(model, source, new PretrainSettings { Workers = 1 });
        var total = 0f;
        long Steps(int count)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < count; i++)
            {
                total += pretrainer.Advance().Loss;
            }
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
        Steps(4);
        Assert.That(Steps(9), Is.Zero, "bytes, over the ends of epochs too");
        Assert.That(float.IsFinite(total));
        Assert.That(pretrainer.Progress, Is.EqualTo(new RunProgress(13, 6, 1, 78, pretrainer.State.LossSum, 1)));
        Assert.That(pretrainer.State, Has.Property("Step").EqualTo(13).And.Property("SamplesSeen").EqualTo(78));
    }
}
