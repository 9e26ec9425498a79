using MimNative.Recipes;
using NUnit.Framework;

namespace MimNative.Tests.Recipes;

public sealed class RecipeBaseTests : FolderTests
{
    private static IEnumerable<string> Changed(Recipe recipe, string? loadedAs) =>
        recipe.Differences(recipe.Base(loadedAs)).Select(d => $"{d.Key} {d.Value} {d.Default}");

    private string Write(string name, string json)
    {
        File.WriteAllText(At(name), json);
        return At(name);
    }

    [Test]
    public void A_recipe_of_the_library_is_its_own_base_and_settings_are_what_it_changes()
    {
        var recipe = Recipe.Load("mae-vit-ti16", ["train.batch=32", "encoder.depth=12"]);
        Assert.That(recipe.Base("mae-vit-ti16").Name, Is.EqualTo("mae-vit-ti16"));
        Assert.That(Changed(recipe, "mae-vit-ti16"), Is.EqualTo(new[] { "train.batch 32 4096" }));
        Assert.That(Changed(recipe, loadedAs: null), Is.EqualTo(new[] { "train.batch 32 4096" }), "as a run's recipe.json tells");
    }

    [Test]
    public void A_file_changes_the_recipe_that_it_extends()
    {
        Write("below.json", """{ "name": "below", "train": { "batch": 64, "epochs": 90 } }""");
        string first = Write("first.json", """{ "extends": "mae-vit-ti16", "train": { "batch": 32 } }""");
        string second = Write("second.json", """{ "extends": "below.json", "train": { "batch": 32 } }""");
        Assert.That(Changed(Recipe.Load(first, ["train.clip=1"]), first), Is.EqualTo(new[] { "train.batch 32 4096", "train.clip 1 0" }));
        Assert.That(Changed(Recipe.Load(second), second), Is.EqualTo(new[] { "train.batch 32 64" }));
        Assert.That(Recipe.Load(second).Base(second).Name, Is.EqualTo("below"));
    }

    [Test]
    public void A_file_that_extends_none_changes_the_defaults_of_its_method_and_encoder()
    {
        string path = Write("mine.json", """{ "method": "simmim", "encoder": { "kind": "swin" }, "train": { "batch": 32 } }""");
        Assert.That(Changed(Recipe.Load(path), path), Is.EqualTo(new[] { "train.batch 32 2048" }));
        Assert.That(Changed(Recipe.Load(path), loadedAs: null), Is.EqualTo(new[] { "train.batch 32 2048" }));
    }

    [Test]
    public void A_base_that_is_gone_or_no_recipe_by_itself_leaves_the_defaults()
    {
        Write("below.json", """{ "image": { "height": 30, "width": 30 } }""");
        string path = Write("mine.json", """{ "extends": "below.json", "encoder": { "patch": 15 } }""");
        var recipe = Recipe.Load(path);
        string[] expected = ["image.height 30 224", "image.width 30 224", "encoder.patch 15 16"];
        Assert.That(Changed(recipe, path), Is.EqualTo(expected));
        File.Delete(path);
        Assert.That(Changed(recipe, path), Is.EqualTo(expected));
    }
}
