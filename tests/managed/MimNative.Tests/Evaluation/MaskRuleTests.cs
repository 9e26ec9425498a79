using MimNative.Data;
using MimNative.Evaluation;
using MimNative.Evaluation.Objects;
using MimNative.Nn;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Evaluation;

public sealed class MaskRuleTests : FolderTests
{
    private static readonly PatchGrid Grid = new(SmallModel.Height, SmallModel.Width, 3, SmallModel.Patch);

    [TestCase("box:0,0,8,8", new[] { 0 })]
    [TestCase("box:16,8,8,16", new[] { 7, 12 })]
    [TestCase("patches:3", new[] { 3 })]
    [TestCase("patches:0,2-4,14", new[] { 0, 2, 3, 4, 14 })]
    [TestCase("patches:2-2,2", new[] { 2 })]
    public void A_rule_removes_patches(string text, int[] removed) => Assert.That(Removed(text), Is.EqualTo(removed));

    [Test]
    public void A_file_removes_the_patches_under_its_bright_pixels()
    {
        using (var mask = Image.Create(SmallModel.Height, SmallModel.Width))
        {
            mask.Pixels[..(8 * SmallModel.Width * 3)].Fill(200);
            File.WriteAllBytes(At("mask.png"), mask.EncodePng());
        }
        Assert.That(Removed($"file:{At("mask.png")}"), Is.EqualTo(new[] { 0, 1, 2, 3, 4 }));
    }

    [Test]
    public void Random_is_the_models_own_rule()
    {
        Assert.That(MaskRule.Parse("random").IsRandom);
        Assert.That(MaskRule.Parse("patches:1").IsRandom, Is.False);
    }

    // 24 x 40, patches of 8: the object touches patches 1, 2, 3 and 6, 7, 8
    [TestCase("object", new[] { 1, 2, 3, 6, 7, 8 })]
    [TestCase("object:1", new[] { 1, 2, 3, 6, 7, 8 })]
    [TestCase("object:0.9", new[] { 1, 2, 3, 7, 8 })]
    [TestCase("object:0.3", new[] { 2, 7 })]
    [TestCase("object:0.25", new[] { 2 })]
    public void An_object_is_removed_by_as_many_patches_as_cover_its_share(string text, int[] removed)
    {
        // of its 208 pixels 21, 56 and 35 are in the upper patches, 18, 48 and 30 in the lower ones
        var picturedObject = new BoxObject(new Region(1, 13, 14, 29));
        var rule = MaskRule.Parse(text);
        Assert.That(rule.IsOfObject);
        Assert.That(Removed(text, picturedObject), Is.EqualTo(removed));
    }

    [Test]
    public void Of_equally_full_patches_the_nearer_ones_to_the_centre_are_removed_first()
    {
        var all = new BoxObject(new Region(0, 0, 24, 40));
        Assert.That(Removed("object:0.06", all), Is.EqualTo(new[] { 7 }));
        Assert.That(Removed("object:0.33", all), Is.EqualTo(new[] { 2, 6, 7, 8, 12 }));
    }

    [Test]
    public void A_rule_of_an_object_needs_one()
    {
        Assert.That(MaskRule.Parse("patches:1").IsOfObject, Is.False);
        Assert.That(() => Removed("object"), Throws.ArgumentException.With.Message.EqualTo("mask 'object' needs an object"));
        Assert.That(
            () => Removed("object", new BoxObject(new Region(-5, 0, -1, 9))), Throws.TypeOf<FormatException>().With.Message.Contains("removes 0 of 15"));
    }

    [TestCase("object:")]
    [TestCase("object:0")]
    [TestCase("object:1.01")]
    [TestCase("object:-0.5")]
    [TestCase("object:half")]
    [TestCase("")]
    [TestCase("rnd")]
    [TestCase("random:3")]
    [TestCase("box")]
    [TestCase("box:")]
    [TestCase("box:1,2,3")]
    [TestCase("box:1,2,3,4,5")]
    [TestCase("box:1,2,0,4")]
    [TestCase("box:-1,2,3,4")]
    [TestCase("box:a,b,c,d")]
    [TestCase("patches")]
    [TestCase("patches:")]
    [TestCase("patches:1,,2")]
    [TestCase("patches:4-2")]
    [TestCase("patches:1-2-3")]
    [TestCase("patches:-1")]
    [TestCase("file:")]
    public void Anything_else_is_an_error_that_says_what_is_known(string text) => Assert.That(
        () => MaskRule.Parse(text),
        Throws.TypeOf<FormatException>().With.Message.StartsWith($"mask is '{text}', expected random, box:"));

    [TestCase("patches:15", "names patch 15, expected 0 to 14")]
    [TestCase("patches:0-2147483647", "names patch 2147483647, expected 0 to 14")]
    [TestCase("patches:0-14", "removes 15 of 15 patches")]
    [TestCase("box:40,0,8,8", "removes 0 of 15 patches")]
    public void A_rule_that_does_not_fit_the_model_is_an_error(string text, string problem) =>
        Assert.That(() => Removed(text), Throws.TypeOf<FormatException>().With.Message.Contains($"'{text}' {problem}"));

    private static int[] Removed(string text, PictureObject? picturedObject = null)
    {
        using var picture = Image.Create(SmallModel.Height, SmallModel.Width);
        var recipe = SmallModel.Recipe();
        using var view = PictureView.Of(picture, recipe);
        var removed = MaskRule.Parse(text).Removed(view, recipe, Grid, picturedObject);
        return [.. Enumerable.Range(0, removed.Length).Where(i => removed[i])];
    }
}
