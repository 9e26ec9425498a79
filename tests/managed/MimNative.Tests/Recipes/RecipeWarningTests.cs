using MimNative.Recipes;
using NUnit.Framework;

namespace MimNative.Tests.Recipes;

[TestFixture]
public sealed class RecipeWarningTests
{
    private static IReadOnlyList<string> Warnings(string recipe, params string[] settings) => Recipe.Load(recipe, settings).Warnings();

    [TestCase("mae-vit-ti16", "train.epochs=40")]
    [TestCase("lomar-vit-ti16", "train.epochs=20")]
    [TestCase("simmim-vit-ti16", "train.epochs=10")]
    [TestCase("mae-vit-ti16", "train.epochs=1", "train.warmup_epochs=1")]
    public void A_run_that_only_warms_up_is_told(string recipe, params string[] settings) =>
        Assert.That(Warnings(recipe, settings), Has.Count.EqualTo(1).And.One.StartsWith("the whole run warms up"));

    [Test]
    public void The_warning_says_both_lengths_and_a_usual_one() => Assert.That(
        Warnings("mae-vit-ti16", "train.epochs=40", "train.warmup_epochs=40").Single(),
        Does.Contain("train.warmup_epochs is 40, train.epochs 40").And.EndsWith("train.warmup_epochs=2"));

    [TestCase("20.5", 1)]
    [TestCase("39.99", 1)]
    [TestCase("20", 0)]
    [TestCase("0", 0)]
    public void More_than_half_a_run_of_warming_up_is_told(string warmup, int count)
    {
        var warnings = Warnings("mae-vit-ti16", "train.epochs=40", $"train.warmup_epochs={warmup}");
        Assert.That(warnings, Has.Count.EqualTo(count).And.All.StartsWith("most of the run warms up"));
    }

    [TestCase("[700]", 100, 1)]
    [TestCase("[100,200]", 100, 1)]
    [TestCase("[99,200]", 100, 0)]
    [TestCase("[]", 100, 0)]
    public void Milestones_that_are_never_reached_are_told(string milestones, int epochs, int count)
    {
        string[] settings = [$"train.milestones={milestones}", $"train.epochs={epochs}"];
        Assert.That(Warnings("simmim-vit-ti16", settings), Has.Count.EqualTo(count).And.All.Contains("never falls"));
        Assert.That(Warnings("simmim-vit-ti16", [.. settings, "train.schedule=timm_cosine"]), Is.Empty, "which has none");
    }

    [Test]
    public void Recipes_of_the_library_have_no_warning() =>
        Assert.That(Recipe.Names.Where(name => Recipe.Load(name).Warnings().Count > 0), Is.Empty);
}
