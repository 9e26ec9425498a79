using MimNative.Evaluation.Benchmarks;
using MimNative.Methods;
using MimNative.Recipes;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Evaluation.Benchmarks;

public sealed class StepCasesTests
{
    [Test]
    public void Every_case_is_a_recipe_that_makes_a_model([Values] DeviceKind device)
    {
        Assert.That(StepCases.Of(device).Select(c => c.Name), Is.Unique);
        foreach (var step in StepCases.Of(device))
        {
            var recipe = step.Recipe();
            var store = new ParameterStore();
            Catalog.Create(store.Root, recipe);
            Assert.That(store.TrainedCount, Is.GreaterThan(1_000_000), step.Name);
            Assert.That((recipe.Train.Batch, recipe.Train.Accumulation), Is.EqualTo((step.Batch, 1)), step.Name);
        }
    }

    [Test]
    public void A_name_that_is_no_case_gets_the_nearest() => Assert.That(
        () => StepCases.Find("mae-vit-s61", DeviceKind.Cpu),
        Throws.ArgumentException.With.Message.Contains("there is no case 'mae-vit-s61'").And.Message.Contains("did you mean 'mae-vit-s16'"));

    // Counted by hand for the published sizes: 10⁹ operations an image.
    [TestCase("mae-vit-ti16", 3.07)]
    [TestCase("mae-vit-s16", 11.20)]
    [TestCase("mae-vit-b16", 58.5)]
    [TestCase("mae-vit-ti-cifar", 5.55)]
    [TestCase("mae-vit-s16-448", 51.6)]
    [TestCase("mae-vit-s16-official", 38.9)]
    [TestCase("mae-vit-s16-official-448", 179)]
    [TestCase("convmae-ti16", 5.53)]
    [TestCase("simmim-vit-s16", 27.8)]
    [TestCase("lomar-vit-s16", 26.9)]
    [TestCase("lomar-vit-s16-448", 27.6)]
    public void The_work_of_a_step_is_that_of_its_method(string name, double giga) =>
        Assert.That(StepWork.PerImage(StepCases.Find(name, DeviceKind.Cpu).Recipe()) / 1e9, Is.EqualTo(giga).Within(0.004 * giga));

    [Test]
    public void A_low_pass_target_counts_as_no_more_work() => Assert.That(
        StepWork.PerImage(StepCases.Find("mae-vit-s16-lowpass", DeviceKind.Cpu).Recipe()),
        Is.EqualTo(StepWork.PerImage(StepCases.Find("mae-vit-s16", DeviceKind.Cpu).Recipe())));

    // One stage of one window is a plain transformer without a class token.
    [Test]
    public void Swin_of_one_window_counts_like_a_plain_transformer()
    {
        var recipe = Recipe.Load("simmim-swin-ti", [
            "image.height=32", "image.width=32", "encoder.patch=8", "encoder.dim=32", "encoder.depths=[3]", "encoder.stage_heads=[2]",
            "encoder.window=4", "mask.patch=16", "train.batch=1"]);
        const double Tokens = 16, Dim = 32, Values = 192;
        var forward = (3 * Tokens * Dim * ((12 * Dim) + (2 * Tokens))) + (Tokens * Dim * Values);
        Assert.That(StepWork.PerImage(recipe), Is.EqualTo((6 * forward) + (4 * Tokens * Dim * Values)));
    }

    // Of an image of 16 patches, 4 of them visible: stages of 256 tokens of 8 and 64 of 12 channels, with the step between them, then the
    // steps to the transformer and the fusion, its block, and the decoder's embedding, block and prediction.
    [Test]
    public void The_stages_of_convmae_are_counted_each()
    {
        var recipe = Recipe.Load("convmae-ti16", [
            "image.height=32", "image.width=32", "encoder.patch=8", "encoder.dims=[8,12,16]", "encoder.depths=[1,1,1]", "encoder.heads=1",
            "decoder.dim=16", "decoder.depth=1", "decoder.heads=1", "train.batch=1"]);
        const double Forward = (256 * 8 * 105) + (64 * 12 * 145) + (64 * 32 * 12) + (4 * ((48 * 16) + (16 * 16) + (128 * 16) + (48 * 16))) +
            (4 * 16 * 200) + (4 * 16 * 16) + (16 * 16 * 224) + (16 * 16 * 192);
        Assert.That(StepWork.PerImage(recipe), Is.EqualTo((6 * Forward) + (4 * 256 * 8 * 12)));
    }

    [TestCase(1, 1, 0)]
    [TestCase(2, 1, 2)]
    [TestCase(2, 2, 1)]
    public void A_decoder_of_fewer_tokens_counts_its_convolutions(int side, int predicted, int convolutions)
    {
        var recipe = Recipe.Load("lsmae-vit-ti16", [
            "image.height=32", "image.width=32", "encoder.patch=8", "encoder.dim=8", "encoder.depth=1", "encoder.heads=1", "decoder.dim=16",
            "decoder.depth=1", "decoder.heads=1", $"decoder.downsampling={side}", $"decoder.prediction_downsampling={predicted}"]);
        double tokens = (16 / side / side) + 1;
        var forward = (5 * 8 * ((12 * 8) + 10)) + (5 * 8 * 16) + (convolutions * 16 * 16 * 16) +
            (tokens * 16 * ((12 * 16) + (2 * tokens))) + (16 * 16 * 192);
        Assert.That(StepWork.PerImage(recipe), Is.EqualTo((6 * forward) + (4 * 16 * 8 * 192)));
    }
}
