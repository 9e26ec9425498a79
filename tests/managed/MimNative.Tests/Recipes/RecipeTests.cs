using System.Text;
using MimNative.Export;
using MimNative.Recipes;
using NUnit.Framework;

namespace MimNative.Tests.Recipes;

public sealed class RecipeTests : FolderTests
{
    [Test]
    public void Every_named_recipe_is_complete_and_comes_back_from_its_own_text(
        [ValueSource(nameof(Names))] string name)
    {
        Recipe recipe = Recipe.Load(name);
        Assert.That(recipe.Name, Is.EqualTo(name));
        Assert.That(recipe.Description, Is.Not.Empty);
        Recipe back = Recipe.FromJson(recipe.ToJson(), "its own text");
        Assert.That(back.ToJson(), Is.EqualTo(recipe.ToJson()));
        Assert.That(back.Hash(), Is.EqualTo(recipe.Hash()));
    }

    [Test]
    public void Every_named_recipe_can_be_extended([ValueSource(nameof(Names))] string name)
    {
        string path = Store("mine.json", $$"""{ "extends": "{{name}}", "mask": { "ratio": 0.5 } }""");
        Assert.That(Recipe.Load(path).Hash(), Is.EqualTo(Recipe.Load(name, ["mask.ratio=0.5"]).Hash()));
    }

    [Test]
    public void The_recipes_are_these() => Assert.That(Names, Is.EqualTo(new[]
    {
        "convmae-b16", "convmae-ti-cifar", "convmae-ti16", "demo", "lomar-vit-b16-1600e", "lomar-vit-b16-384", "lomar-vit-b16-400e",
        "lomar-vit-b16-448", "lomar-vit-s16", "lomar-vit-ti-cifar", "lomar-vit-ti16", "lsmae-vit-b16-448", "lsmae-vit-l16-448",
        "lsmae-vit-ti-cifar", "lsmae-vit-ti16", "mae-vit-b16", "mae-vit-h14", "mae-vit-l16", "mae-vit-s16", "mae-vit-ti-cifar",
        "mae-vit-ti16", "pixmim-convmae-b16", "pixmim-convmae-ti16", "pixmim-lomar-vit-ti16", "pixmim-lsmae-vit-b16-448",
        "pixmim-lsmae-vit-ti16", "pixmim-mae-vit-b16-300e", "pixmim-mae-vit-b16-800e", "pixmim-mae-vit-ti-cifar",
        "pixmim-mae-vit-ti16", "pixmim-simmim-vit-ti16", "simmim-swin-b-100e", "simmim-swin-b-800e", "simmim-swin-l-800e",
        "simmim-swin-ti", "simmim-swin-ti-cifar", "simmim-vit-b-800e", "simmim-vit-s16", "simmim-vit-ti-cifar", "simmim-vit-ti16",
    }));

    [Test]
    public void The_defaults_are_the_published_ones()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Recipe.Load("mae-vit-b16").Differences(), Is.Empty);
            Assert.That(Recipe.Load("convmae-b16").Differences(), Is.Empty);
            Assert.That(Recipe.Load("simmim-vit-b-800e").Differences(), Is.Empty);
            Assert.That(Recipe.Load("simmim-swin-b-800e").Differences(), Is.Empty);
            Assert.That(
                Recipe.Load("lomar-vit-b16-400e").Differences().Select(d => d.Key),
                Is.EqualTo(new[] { "train.batch", "train.accumulation" }));  // 1024 x 4 are 4096 too
        }
    }

    // encoder width, depth, heads, patch; decoder width, depth, heads
    [TestCase("mae-vit-b16", 768, 12, 12, 16, 512, 8, 16)]
    [TestCase("mae-vit-l16", 1024, 24, 16, 16, 512, 8, 16)]
    [TestCase("mae-vit-h14", 1280, 32, 16, 14, 512, 8, 16)]
    [TestCase("mae-vit-s16", 384, 12, 6, 16, 256, 4, 8)]
    [TestCase("mae-vit-ti16", 192, 12, 3, 16, 128, 4, 4)]
    [TestCase("mae-vit-ti-cifar", 192, 12, 3, 2, 192, 4, 3)]
    public void Sizes_are_the_published_ones(
        string name, int dim, int depth, int heads, int patch, int decoderDim, int decoderDepth, int decoderHeads)
    {
        Recipe recipe = Recipe.Load(name);
        Assert.That((recipe.Encoder.Dim, recipe.Encoder.Depth, recipe.Encoder.Heads, recipe.Encoder.Patch),
            Is.EqualTo((dim, depth, heads, patch)));
        Assert.That((recipe.Decoder.Dim, recipe.Decoder.Depth, recipe.Decoder.Heads),
            Is.EqualTo((decoderDim, decoderDepth, decoderHeads)));
    }

    [Test]
    public void The_published_learning_rate_of_MAE_is_2_4e_3()
    {
        Assert.That(Recipe.Load("mae-vit-b16").EffectiveLearningRate(), Is.EqualTo(2.4e-3).Within(1e-15));
        Recipe small = Recipe.Load("mae-vit-b16", ["train.batch=64", "train.accumulation=4"]);
        Assert.That(small.EffectiveBatch(), Is.EqualTo(256));
        Assert.That(small.EffectiveLearningRate(), Is.EqualTo(1.5e-4).Within(1e-15));
    }

    [Test]
    public void A_file_extends_a_named_recipe_and_settings_come_last()
    {
        string path = Store("mine.json", """
            {
              // a comment
              "extends": "mae-vit-s16",
              "mask": { "ratio": 0.6 },
              "train": { "batch": 32, "epochs": 100 }
            }
            """);
        Recipe recipe = Recipe.Load(path,
            ["train.batch=16", "target.kind=raw_pixels", "image.std = [1, 1, 0.5]", "train.batch=8"]);
        Assert.That(recipe.Name, Is.EqualTo("mine"));
        Assert.That(recipe.Description, Is.Empty);
        Assert.That(recipe.Encoder.Dim, Is.EqualTo(384));
        Assert.That(recipe.Mask.Ratio, Is.EqualTo(0.6));
        Assert.That(recipe.Train.Epochs, Is.EqualTo(100));
        Assert.That(recipe.Train.Batch, Is.EqualTo(8));
        Assert.That(recipe.Target.Kind, Is.EqualTo(TargetKind.RawPixels));
        Assert.That(recipe.Image.Std, Is.EqualTo(new[] { 1, 1, 0.5 }));
    }

    [Test]
    public void A_file_extends_a_file_beside_it()
    {
        Store("base.json", """{ "train": { "epochs": 50 } }""");
        string path = Store("mine.json", """{ "extends": "base.json", "train": { "batch": 2 } }""");
        Recipe recipe = Recipe.Load(path);
        Assert.That((recipe.Train.Epochs, recipe.Train.Batch), Is.EqualTo((50, 2)));
    }

    [Test]
    public void Differences_name_key_default_and_value()
    {
        Recipe recipe = Recipe.Load("mae-vit-b16", ["mask.ratio=0.6", "image.mean=[0.5,0.5,0.5]"]);
        Assert.That(recipe.Differences(), Is.EqualTo(new[]
        {
            new RecipeDifference("image.mean", "[0.485, 0.456, 0.406]", "[0.5, 0.5, 0.5]"),
            new RecipeDifference("mask.ratio", "0.75", "0.6"),
        }));
    }

    [Test]
    public void The_hash_tells_what_matters()
    {
        string hash = Recipe.Load("demo").Hash();
        Assert.That(Recipe.Load("demo", ["name=other", "description=words"]).Hash(), Is.EqualTo(hash));
        Assert.That(Recipe.Load("demo", ["train.seed=1"]).Hash(), Is.Not.EqualTo(hash));
    }

    [TestCase("""{ "train": { "bacth": 3 } }""", "there is no key 'train.bacth'; did you mean 'train.batch'?")]
    [TestCase("""{ "batch": 3 }""", "there is no key 'batch'; did you mean 'train.batch'?")]
    [TestCase("""{ "optimizer": {} }""", "there is no key 'optimizer'.")]
    [TestCase("""{ "train": { "extends": "x" } }""", "there is no key 'train.extends'.")]
    [TestCase("""{ "train": { "batch": "many" } }""", "train.batch should be a whole number, but is \"many\".")]
    [TestCase("""{ "train": { "batch": 2.5 } }""", "train.batch should be a whole number, but is 2.5.")]
    [TestCase("""{ "train": { "batch": 3000000000 } }""", "train.batch should be a whole number, but is 3000000000.")]
    [TestCase("""{ "train": { "seed": -1 } }""", "train.seed should be a whole number, but is -1.")]
    [TestCase("""{ "train": { "eps": 1e999 } }""", "train.eps should be a number, but is 1e999.")]
    [TestCase("""{ "train": { "eps": null } }""", "train.eps should be a number, but is null.")]
    [TestCase("""{ "train": 3 }""", "train should be an object, but is 3.")]
    [TestCase("""{ "name": 3 }""", "name should be a text, but is 3.")]
    [TestCase("""{ "name": "\ud800" }""", "name should be a text")]
    [TestCase("""{ "\ud800": 1 }""", "a key is not valid Unicode")]
    [TestCase("""{ "image": { "mean": [1, "2", 3] } }""", "image.mean should be a list of numbers, but is [1, \"2\", 3].")]
    [TestCase("""{ "loss": { "kind": "l3" } }""", "loss.kind should be one of l2, l1, smooth_l1, but is \"l3\".")]
    [TestCase("""{ "loss": { "kind": 1 } }""", "loss.kind should be one of l2, l1, smooth_l1, but is 1.")]
    [TestCase("""{ "mask": { "ratio": 0.5, "ratio": 0.6 } }""", "mask.ratio is given twice.")]
    [TestCase("""{ "mask": {}, "mask": {} }""", "mask is given twice.")]
    [TestCase("""[]""", "a recipe should be a JSON object, but is [].")]
    [TestCase("""{ "mask": { "ratio": 0.5, } }""", "not valid JSON")]
    [TestCase("", "not valid JSON")]
    [TestCase("""{ "extends": 3 }""", "extends should be a recipe's name or path, but is 3.")]
    [TestCase("""{ "extends": "mae-vit-s61" }""", "extends: there is no recipe 'mae-vit-s61'")]
    [TestCase("""{ "extends": "mae-vit-s16" , "extends": "demo" }""", "extends is given twice.")]
    [TestCase("""{ "extends": "none.json" }""", "extends: there is no recipe file")]
    [TestCase("""{ "extends": "demo.json" }""", "which itself extends 'mae-vit-b16'")]
    public void A_mistake_in_a_file_is_named(string json, string expected)
    {
        Store("demo.json", """{ "extends": "mae-vit-b16" }""");
        string path = Store("mine.json", json);
        Assert.That(() => Recipe.Load(path), Throws.TypeOf<RecipeException>()
            .With.Message.StartsWith(path + ": ").And.Message.Contains(expected));
    }

    [TestCase("mask.ratio=1", "mask.ratio should be a number between 0 and 1, both excluded, but is 1.")]
    [TestCase("mask.ratio=0", "mask.ratio should be")]
    [TestCase("mask.ratio=0.9999", "hides some of the 196 patches")]
    [TestCase("mask.ratio=1e-18", "hides some of the 196 patches")]
    [TestCase("image.height=225", "image.height should be a multiple of encoder.patch, which is 16, but is 225.")]
    [TestCase("image.width=24", "image.width should be a multiple of encoder.patch")]
    [TestCase("image.height=0", "image.height should be a whole number from 1")]
    [TestCase("image.channels=1", "image.mean should be a list of 1 numbers, one per channel, but is [0.485, 0.456, 0.406].")]
    [TestCase("image.std=[1,1]", "image.std should be a list of 3 numbers")]
    [TestCase("image.std=[1,0,1]", "image.std should be a list of numbers above 0, but is [1, 0, 1].")]
    [TestCase("encoder.patch=0", "encoder.patch should be")]
    [TestCase("encoder.heads=5", "encoder.heads should be a divisor of the 768 channels of a token, but is 5.")]
    [TestCase("encoder.heads=4", "encoder.heads should be at least 6, because a head has at most 128 of the 768 channels, but is 4.")]
    [TestCase("encoder.heads=0", "encoder.heads should be a whole number from 1")]
    [TestCase("decoder.dim=510", "decoder.dim should be a multiple of 4")]
    [TestCase("decoder.depth=-1", "decoder.depth should be")]
    [TestCase("decoder.mlp_ratio=0.0001", "decoder.mlp_ratio should be")]
    [TestCase("loss.beta=0", "loss.beta should be a number above 0, but is 0.")]
    [TestCase("transform.scale=[0.5,0.2]", "transform.scale should be two rising numbers")]
    [TestCase("transform.scale=[0.5]", "transform.scale should be two rising numbers")]
    [TestCase("transform.ratio=[0,1]", "transform.ratio should be two rising numbers above 0, but is [0, 1].")]
    [TestCase("transform.flip=1.5", "transform.flip should be a number from 0 to 1, but is 1.5.")]
    [TestCase("transform.padding=-1", "transform.padding should be")]
    [TestCase("train.epochs=30", "train.warmup_epochs should be a number from 0 to train.epochs, which is 30, but is 40.")]
    [TestCase("train.batch=0", "train.batch should be a whole number from 1")]
    [TestCase("train.accumulation=0", "train.accumulation should be")]
    [TestCase("train.base_lr=0", "train.base_lr should be a number above 0")]
    [TestCase("train.lr_divisor=0", "train.lr_divisor should be a number above 0")]
    [TestCase("train.min_lr=1", "train.min_lr should be a number from 0 to the effective rate 0.0024, but is 1.")]
    [TestCase("train.weight_decay=-1", "train.weight_decay should be")]
    [TestCase("train.beta1=1", "train.beta1 should be a number from 0 to below 1, but is 1.")]
    [TestCase("train.beta2=-0.1", "train.beta2 should be")]
    [TestCase("train.eps=0", "train.eps should be")]
    [TestCase("train.clip=-1", "train.clip should be")]
    public void A_value_out_of_range_is_named(string setting, string expected) =>
        Assert.That(() => Recipe.Load("mae-vit-b16", [setting]), Throws.TypeOf<RecipeException>()
            .With.Message.StartsWith("mae-vit-b16: ").And.Message.Contains(expected));

    [TestCase("lomar-vit-b16-400e", "mask.window=15",
        "mask.window should be a whole number from 2 to 14, the smaller side of the grid of 14 x 14 patches, but is 15.")]
    [TestCase("lomar-vit-b16-400e", "mask.windows=0", "mask.windows should be a whole number from 1")]
    [TestCase("lomar-vit-b16-400e", "mask.ratio=0.01", "hides some of the 49 patches of a window and leaves some, but is 0.01.")]
    [TestCase("lomar-vit-b16-400e", "decoder.kind=mae", "decoder.kind should be linear or mlp, because the encoder of lomar sees every place, but is mae.")]
    [TestCase("lomar-vit-b16-400e", "decoder.kind=inverse_swin", "decoder.kind should be linear or mlp, because the windows of lomar are no whole grid")]
    [TestCase("lomar-vit-b16-400e", "encoder.position=learned", "encoder.position should be none, because windows lie at random places, but is learned.")]
    [TestCase("lomar-vit-b16-400e", "encoder.kind=swin", "encoder.kind should be vit, because lomar gives its encoder a set of patches")]
    [TestCase("lomar-vit-b16-400e", "mask.patch=16", "mask.patch should be left at 32, because lomar does not use it, but is 16.")]
    [TestCase("lomar-vit-b16-400e", "loss.pixels=all", "loss.pixels should be masked, because lomar predicts nothing else, but is all.")]
    [TestCase("simmim-vit-b-800e", "mask.patch=24", "mask.patch should be a multiple of encoder.patch, which is 16, but is 24.")]
    [TestCase("simmim-vit-b-800e", "mask.patch=48", "mask.patch should be a divisor of the image's 224 x 224 pixels, but is 48.")]
    [TestCase("simmim-vit-b-800e", "mask.ratio=1", "mask.ratio should be a number between 0 and 1, both excluded, but is 1.")]
    [TestCase("simmim-vit-b-800e", "mask.ratio=-0.5", "mask.ratio should be a number between 0 and 1, both excluded, but is -0.5.")]
    [TestCase("simmim-vit-b-800e", "mask.ratio=0.99", "hides some of the 49 mask patches of 32 pixels and leaves some, but is 0.99.")]
    [TestCase("simmim-vit-b-800e", "decoder.kind=mae", "decoder.kind should be linear, mlp or inverse_swin, because the encoder of simmim sees every place")]
    [TestCase("simmim-vit-b-800e", "mask.window=5", "mask.window should be left at 7, because simmim does not use it, but is 5.")]
    [TestCase("simmim-vit-b-800e", "target.reduction=3", "target.reduction should be a divisor of 16, the pixels between two predictions, but is 3.")]
    [TestCase("simmim-vit-b-800e", "target.reduction=0", "target.reduction should be a divisor of 16")]
    [TestCase("simmim-vit-b-800e", "target.low_pass=-1", "target.low_pass should be a bandwidth in frequency bins of at least 0, but is -1.")]
    [TestCase("simmim-vit-b-800e", "target.low_pass=NaN", "target.low_pass should be a number, but is 'NaN'.")]
    [TestCase("simmim-vit-b-800e", "target.low_pass=wide", "target.low_pass should be a number, but is 'wide'.")]
    [TestCase("simmim-vit-b-800e", "encoder.layer_scale=-1", "encoder.layer_scale should be a number of at least 0, but is -1.")]
    [TestCase("simmim-vit-b-800e", "encoder.drop_path=1", "encoder.drop_path should be a number from 0 to below 1, but is 1.")]
    [TestCase("simmim-vit-b-800e", "encoder.key_bias=maybe", "encoder.key_bias should be true or false, but is 'maybe'.")]
    [TestCase("simmim-vit-b-800e", "encoder.key_bias=1", "encoder.key_bias should be true or false, but is 1.")]
    [TestCase("simmim-vit-b-800e", "train.milestones=[700,600]", "train.milestones should be a rising list of epochs, but is [700, 600].")]
    [TestCase("simmim-vit-b-800e", "train.milestones=[1.5]", "train.milestones should be a list of whole numbers, but is [1.5].")]
    [TestCase("simmim-vit-b-800e", "train.no_decay=[1]", "train.no_decay should be a list of texts, but is [1].")]
    [TestCase("simmim-vit-b-800e", "train.warmup_lr=1", "train.warmup_lr should be a number from 0 to train.base_lr, which is 0.0001, but is 1.")]
    [TestCase("simmim-swin-b-800e", "encoder.window=5", "encoder.window should be a divisor of the grid of 48 x 48 tokens that its windows have to tile, but is 5.")]
    [TestCase("simmim-swin-b-800e", "encoder.stage_heads=[4,8]", "encoder.stage_heads should be a list of 4 whole numbers above 0, one for each of encoder.depths")]
    [TestCase("simmim-swin-b-800e", "encoder.stage_heads=[4,8,16,30]", "encoder.stage_heads[3] should be a divisor of the 1024 channels of a token, but is 30.")]
    [TestCase("simmim-swin-b-800e", "encoder.depths=[]", "encoder.depths should be a list of 1 to 8 whole numbers")]
    [TestCase("simmim-swin-b-800e", "image.height=200", "image.height should be a multiple of 32, which is encoder.patch doubled by each further stage, but is 200.")]
    [TestCase("simmim-swin-b-800e", "encoder.position=sin_cos", "encoder.position should be learned or none with a Swin transformer, but is sin_cos.")]
    [TestCase("simmim-swin-b-800e", "encoder.relative_position=shared_bias", "encoder.relative_position should be bias or none")]
    [TestCase("simmim-swin-b-800e", "mask.patch=30", "mask.patch should be a multiple of encoder.patch, which is 4, but is 30.")]
    [TestCase("mae-vit-b16", "decoder.kind=linear", "decoder.kind should be mae, which fills in the patches that the encoder of mae does not see, but is linear.")]
    [TestCase("mae-vit-b16", "encoder.relative_position=bias", "encoder.relative_position should be none, because every image shows mae's encoder other patches")]
    [TestCase("mae-vit-b16", "encoder.kind=swin", "encoder.kind should be vit or conv_vit, because mae gives its encoder a set of patches")]
    [TestCase("simmim-vit-b-800e", "encoder.kind=conv_vit", "encoder.kind should be vit or swin, because conv_vit has no mask token, but is conv_vit.")]
    [TestCase("lomar-vit-b16-400e", "encoder.kind=conv_vit", "encoder.kind should be vit, because conv_vit has no mask token, but is conv_vit.")]
    [TestCase("simmim-vit-b-800e", "mask.downsampling=2", "mask.downsampling should be left at 1, because simmim does not use it, but is 2.")]
    [TestCase("simmim-vit-b-800e", "decoder.downsampling=2", "decoder.downsampling should be left at 1, because simmim does not use it, but is 2.")]
    [TestCase("mae-vit-b16", "mask.downsampling=0", "mask.downsampling should be a whole number from 1")]
    [TestCase("mae-vit-b16", "decoder.downsampling=3", "decoder.downsampling should be a divisor of the grid of 14 x 14 patches, but is 3.")]
    [TestCase("mae-vit-b16", "decoder.prediction_downsampling=2",
        "decoder.prediction_downsampling should be 1 or decoder.downsampling, which is 1, but is 2.")]
    [TestCase("mae-vit-b16", "encoder.dims=[8,8,8]", "encoder.dims should be left at [256, 384, 768], because vit does not use it")]
    [TestCase("convmae-b16", "encoder.dims=[8,8]", "encoder.dims should be a list of 3 whole numbers from 1 to 65536, but is [8, 8].")]
    [TestCase("convmae-b16", "encoder.depths=[2,0,2]", "encoder.depths should be a list of 3 whole numbers from 1 to 1024, but is [2, 0, 2].")]
    [TestCase("convmae-b16", "encoder.patch=14", "encoder.patch should be a multiple of 4, because the last two stages halve the resolution, but is 14.")]
    [TestCase("convmae-b16", "encoder.dims=[8,8,774]", "encoder.dims should be a list whose last number is a multiple of 4")]
    [TestCase("convmae-b16", "encoder.heads=10", "encoder.heads should be a divisor of the 768 channels of a token, but is 10.")]
    [TestCase("convmae-b16", "encoder.dim=512", "encoder.dim should be left at 768, because conv_vit does not use it, but is 512.")]
    [TestCase("convmae-b16", "encoder.drop_path=0.1", "encoder.drop_path should be left at 0, because conv_vit does not use it, but is 0.1.")]
    [TestCase("convmae-b16", "encoder.mlp_ratio=0.001", "encoder.mlp_ratio should be a number above 0, at most 64, and whole")]
    [TestCase("mae-vit-b16", "encoder.window=7", "encoder.window should be left at 6, because vit does not use it, but is 7.")]
    public void What_a_method_cannot_do_is_said(string recipe, string setting, string expected) =>
        Assert.That(() => Recipe.Load(recipe, [setting]), Throws.TypeOf<RecipeException>().With.Message.Contains(expected));

    [TestCase("decoder.depths=[2,2,2,2,2,2]", "decoder.depths should be a list of 1 to 5 whole numbers from 1 to 1024, because the head halves the encoder's stride of 16 pixels")]
    [TestCase("decoder.heads=3", "decoder.heads should be a multiple of 2, because 2 stages halve it 1 times, but is 3.")]
    [TestCase("decoder.heads=10", "decoder.heads should be a divisor of the 768 channels of a token, but is 10.")]
    [TestCase("decoder.window=5", "decoder.window should be a divisor of the grid of 14 x 14 tokens that its windows have to tile, but is 5.")]
    public void A_head_that_does_not_fit_is_said(string setting, string expected) => Assert.That(
        () => Recipe.Load("simmim-vit-b-800e", ["decoder.kind=inverse_swin", "decoder.depths=[2,2]", "decoder.heads=12", "decoder.window=7", setting]),
        Throws.TypeOf<RecipeException>().With.Message.Contains(expected));

    [Test]
    public void What_a_recipe_leaves_open_is_the_default_of_its_method_and_encoder()
    {
        Recipe swin = Recipe.FromJson("""{ "method": "simmim" }""", "test", ["encoder.kind=swin"]);
        Recipe lomar = Recipe.Load("mae-vit-b16", ["method=lomar", "decoder.kind=linear", "encoder.kind=vit"]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That((swin.Image.Height, swin.Stride(), swin.OutputDim(), swin.Train.Clip), Is.EqualTo((192, 32, 1024, 5.0)));
            Assert.That(swin.Train.NoDecay, Is.EqualTo(new[] { "absolute_pos_embed", "mask_token" }));
            Assert.That((swin.EffectiveLearningRate(), swin.EffectiveWarmupLearningRate()), Is.EqualTo((4e-4, 2e-6)).Within(1e-15));
            Assert.That(lomar.Encoder.RelativePosition, Is.EqualTo(MimNative.Nn.RelativePositionKind.Contextual));
        }
    }

    [TestCase("train.bacth=3", "there is no key 'train.bacth'; did you mean 'train.batch'?")]
    [TestCase("train.batch=many", "train.batch should be a whole number, but is 'many'.")]
    [TestCase("train.precision=half", "train.precision should be one of auto, f32, bf16, but is \"half\".")]
    [TestCase("train.batch=", "train.batch should be a whole number, but is ''.")]
    [TestCase("train.batch", "a setting should have the form key=value")]
    [TestCase("=3", "a setting should have the form key=value")]
    [TestCase("train=3", "train is a section")]
    [TestCase("extends=demo", "there is no key 'extends'")]
    [TestCase("target.kind=pixels", "target.kind should be one of normalized_pixels, raw_pixels, but is \"pixels\".")]
    public void A_mistake_in_a_setting_is_named(string setting, string expected) =>
        Assert.That(() => Recipe.Load("mae-vit-b16", [setting]), Throws.TypeOf<RecipeException>()
            .With.Message.StartsWith($"--set {setting}: ").And.Message.Contains(expected));

    [Test]
    public void A_recipe_that_is_not_there_is_asked_about()
    {
        Assert.That(() => Recipe.Load("mae-vit-b61"), Throws.TypeOf<RecipeException>()
            .With.Message.EndsWith("did you mean 'mae-vit-b16'?"));
        Assert.That(() => Recipe.Load(At("none.json")), Throws.TypeOf<RecipeException>()
            .With.Message.EqualTo($"there is no recipe file '{At("none.json")}'."));
    }

    [Test]
    public void Damage_gives_a_recipe_or_the_one_exception()
    {
        byte[] whole = Encoding.UTF8.GetBytes(Recipe.Load("mae-vit-b16").ToJson());
        string path = At("damaged.json");
        var random = new Random(1);
        int refused = 0;
        for (int round = 0; round < 400; ++round)
        {
            byte[] bytes = [.. whole[..(round % 4 == 0 ? random.Next(whole.Length) : whole.Length)]];
            for (int change = random.Next(1, 4); change > 0 && bytes.Length > 0; --change)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }
            File.WriteAllBytes(path, bytes);
            try
            {
                Recipe.Load(path);
            }
            catch (RecipeException)
            {
                refused++;
            }
        }
        Assert.That(refused, Is.InRange(200, 399));
    }

    private static IReadOnlyList<string> Names => Recipe.Names;

    private string Store(string name, string content)
    {
        File.WriteAllText(At(name), content);
        return At(name);
    }
}
