using MimNative.Data;
using MimNative.Recipes;
using MimNative.Runtime;
using MimNative.Tests.Cli;
using MimNative.Tests.Data;
using MimNative.Training;
using NUnit.Framework;

namespace MimNative.Tests.Training;

/// <summary>A batch of eight and two accumulated ones of four: the same step, but for the order in which sums are made.</summary>
public sealed class AccumulationTests
{
    private const int Count = 18;  // two steps of 8 an epoch, and two pictures left over

    private const string LoMaR = "method=lomar decoder.kind=linear mask.window=3 mask.windows=2";
    private const string SimMim = "method=simmim decoder.kind=linear mask.patch=16 train.clip=0.5 encoder.drop_path=0.2 train.schedule=cosine";

    [TestCase("method=mae")]
    [TestCase("method=mae train.clip=0.1 loss.kind=smooth_l1")]
    [TestCase("method=mae mask.downsampling=2 decoder.downsampling=2 decoder.prediction_downsampling=2")]
    [TestCase("method=mae encoder.kind=conv_vit encoder.dims=[8,12,16] encoder.depths=[1,1,1] encoder.heads=2")]
    [TestCase("method=mae target.low_pass=6 transform.kind=src")]
    [TestCase(SimMim)]
    [TestCase(SimMim + " mask.patch=8 mask.kind=square")]
    [TestCase("method=simmim decoder.kind=linear mask.patch=16 encoder.kind=swin encoder.depths=[2,1] encoder.stage_heads=[2,4] encoder.window=2 train.schedule=cosine")]
    [TestCase(LoMaR + " mask.shared_windows=false")]
    public void Accumulated_batches_are_the_large_one(string settings)
    {
        RequireSame(settings, bad: []);
        RequireSame(settings, bad: [4]);
    }

    [Test]
    public void Many_damaged_pictures_change_nothing_about_it()
    {
        RequireSame("method=mae", bad: [0, 3, 4, 5, 11, 12, 17]);
        RequireSame("method=mae", bad: [.. Enumerable.Range(0, Count).Where(i => i != 9)]);
    }

    [Test]
    public void Windows_that_a_batch_shares_are_those_of_its_own_size()
    {
        var (large, small) = (Train(LoMaR, 8, 1, []), Train(LoMaR, 4, 2, []));
        Assert.That(Apart(large.Losses, small.Losses), Is.GreaterThan(1e-4));
    }

    [Test]
    public void Schedules_of_simmim_count_the_batches_of_a_step()
    {
        const string Settings = "method=simmim decoder.kind=linear mask.patch=16 train.schedule=multistep";
        var (large, small) = (Train(Settings, 8, 1, []), Train(Settings, 4, 2, []));
        Assert.That(small.Losses[0], Is.EqualTo(large.Losses[0]).Within(1e-5));
        Assert.That(small.Rates[2], Is.GreaterThan(large.Rates[2]), "half a step further in the warm-up");
    }

    // Losses of every step, and parameters after the last; those depend on all that came before.
    private static void RequireSame(string settings, int[] bad)
    {
        var (large, small) = (Train(settings, 8, 1, bad), Train(settings, 4, 2, bad));
        Assert.That(large.Losses, Has.Count.EqualTo(6).And.All.GreaterThan(0));
        Assert.That(small.Rates, Is.EqualTo(large.Rates).Within(1e-12));
        Assert.That(Apart(large.Losses, small.Losses), Is.LessThan(1e-5), $"losses of {settings}");
        Assert.That(Apart(large.Parameters, small.Parameters), Is.LessThan(1e-4), $"parameters of {settings}");
    }

    private static double Apart(IReadOnlyList<float> a, IReadOnlyList<float> b) => a.Zip(b).Max(p => Math.Abs(p.First - p.Second));

    private static (List<float> Losses, List<double> Rates, float[] Parameters) Train(string settings, int batch, int accumulation, int[] bad)
    {
        string[] all = settings.Split(' ');
        var recipe = Recipe.FromJson(
            TinyRun.RecipeFor(all), "tiny",
            [.. all, "train.epochs=3", "train.warmup_epochs=2",
             "train.base_lr=0.01", $"train.batch={batch}", $"train.accumulation={accumulation}"]);
        using var shapes = new ShapesSource(Count, 40, 40, seed: 3);
        using var source = new MemorySource(
            [.. Enumerable.Range(0, Count).Select(i => bad.Contains(i) ? "text"u8.ToArray() : shapes.ReadBytes(i, new ByteBuffer()).ToArray())]);
        using var context = new Context(Device.Cpu, threads: 1);
        using var model = new Model(recipe, context);
        using var pretrainer = new Pretrainer(model, source, new PretrainSettings { Workers = 2 });
        var (losses, rates) = (new List<float>(), new List<double>());
        while (!pretrainer.IsDone)
        {
            var report = pretrainer.Advance();
            losses.Add(report.Loss);
            rates.Add(report.LearningRate);
        }
        using var step = new Step(context);
        return (losses, rates, step.ToArray<float>(model.Store.Values));
    }
}
