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
        "demo", "mae-vit-b16", "mae-vit-h14", "mae-vit-l16", "mae-vit-s16", "mae-vit-ti-cifar", "mae-vit-ti16",
    }));

    [Test]
    public void The_defaults_are_the_published_ones() =>
        Assert.That(Recipe.Load("mae-vit-b16").Differences(), Is.Empty);

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
    public void Visible_patches_are_counted_as_upstream_does()
    {
        using SafetensorsFile golden = Golden.Open("mask_counts");
        int[] lengths = golden.ReadInts("lengths"), keep = golden.ReadInts("mae_keep");
        double[] ratios = System.Text.Json.JsonSerializer
            .Deserialize<string[]>(golden.Metadata["ratios"])!
            .Select(text => double.Parse(text, System.Globalization.CultureInfo.InvariantCulture)).ToArray();
        for (int row = 0; row < lengths.Length; ++row)
        {
            for (int column = 0; column < ratios.Length; ++column)
            {
                // one row of patches
                var recipe = new Recipe
                {
                    Image = new ImageRecipe { Height = 16, Width = 16 * lengths[row] },
                    Mask = new MaskRecipe { Ratio = ratios[column] },
                };
                Assert.That(recipe.VisiblePatches(), Is.EqualTo(keep[(row * ratios.Length) + column]),
                    $"{lengths[row]} patches, ratio {ratios[column]}");
            }
        }
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
    [TestCase("encoder.heads=5", "encoder.dim should be a multiple of encoder.heads, which is 5, but is 768.")]
    [TestCase("encoder.heads=4", "encoder.dim should be at most 128 times encoder.heads, which is 4, but is 768.")]
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

    [TestCase("train.bacth=3", "there is no key 'train.bacth'; did you mean 'train.batch'?")]
    [TestCase("train.batch=many", "train.batch should be a whole number, but is 'many'.")]
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
