using MimNative.Cli;
using NUnit.Framework;

namespace MimNative.Tests.Cli;

public sealed class RecipeInputTests : FolderTests
{
    [TestCase("""{ "train": { "epoch": 3 } }""", "there is no key 'train.epoch'; did you mean 'train.epochs'?")]
    [TestCase("""{ "train": { "epochs": "many" } }""", "train.epochs should be a whole number, but is \"many\"")]
    [TestCase(
        """{ "image": { "height": 33, "width": 32 }, "encoder": { "patch": 8 } }""",
        "image.height should be a multiple of encoder.patch")]
    [TestCase("""{ "image": { "height": 4, "width": 4 }, "encoder": { "patch": 4, "dim": 32, "heads": 2 } }""", "mask.ratio")]
    [TestCase("""
        {
          "image": { "height": 32, "width": 32 }, "encoder": { "patch": 8 },
          "transform": { "kind": "src", "padding": 32 }
        }
        """, "transform.padding should be below the image's shorter side, which is 32", "but is 32")]
    [TestCase("not JSON", "not valid JSON")]
    [TestCase("[]", "should be a JSON object")]
    [TestCase("", "not valid JSON")]
    public void A_wrong_recipe_file_is_named_with_its_key(string text, params string[] named)
    {
        File.WriteAllText(At("wrong.json"), text);
        CommandLine.Run("info", At("wrong.json")).Fails(ExitCode.BadInput, [At("wrong.json"), .. named]);
    }

    [TestCase("nope.json", "there is no recipe file 'nope.json'")]
    [TestCase("mae-vit-b-16", "there is no recipe 'mae-vit-b-16'", "did you mean 'mae-vit-b16'?")]
    public void A_recipe_that_is_not_there_is_named(string recipe, params string[] named)
    {
        CommandLine.Run("pretrain", "--recipe", recipe, "--data", TinyRun.Pictures, "--out", At("run"))
            .Fails(ExitCode.BadInput, named);
        Assert.That(Directory.Exists(At("run")), Is.False);
    }

    [TestCase("nonsense", "key=value")]
    [TestCase("batch=3", "there is no key 'batch'; did you mean 'train.batch'?")]
    [TestCase("train.batch=three", "train.batch should be a whole number, but is 'three'")]
    [TestCase("train.batch=0", "train.batch should be a whole number from 1")]
    [TestCase("train=3", "train is a section")]
    [TestCase("transform.kind=zoom", "transform.kind should be one of rrc, src, cc")]
    [TestCase("image.channels=1", "image.mean should be a list of 1 numbers")]
    public void A_wrong_setting_is_named(string setting, params string[] named)
    {
        CommandLine.Run(TinyRun.Pretrain(At("run"), "--set", setting)).Fails(ExitCode.BadInput, named);
        Assert.That(Directory.Exists(At("run")), Is.False);
    }

    [Test]
    public void A_batch_that_fits_no_array_is_an_error_and_not_a_crash()
    {
        File.WriteAllLines(At("list.txt"), Enumerable.Repeat(TinyRun.Picture, 1500));
        CommandLine.Run(TinyRun.PretrainOn(
                At("list.txt"), At("run"), "--batch", "1500", "--set", "image.height=1024", "--set", "image.width=1024"))
            .Fails(ExitCode.BadInput, "train.batch is 1500", "train.accumulation");
    }

    [Test]
    public void A_rate_far_too_high_ends_with_what_to_try()
    {
        CommandLine.Run(TinyRun.Pretrain(At("run"), "--set", "train.base_lr=1e38", "--set", "train.warmup_epochs=0"))
            .Fails(ExitCode.NotFinite, "the loss of step 2", "train.base_lr");
    }
}
