using MimNative.Evaluation.Sweeps;
using MimNative.Recipes;
using NUnit.Framework;

namespace MimNative.Tests.Evaluation;

/// <summary>Grids, their cells and their results; whole sweeps are in SweepCommandTests.</summary>
public sealed class SweepTests
{
    private static readonly string[] Small =
    [
        "method=simmim", "image.height=32", "image.width=32", "encoder.patch=8", "encoder.dim=16", "encoder.depth=1", "encoder.heads=2",
        "train.batch=4", "train.accumulation=1", "mask.patch=16",
    ];

    [Test]
    public void A_grid_is_every_combination_and_its_first_key_changes_slowest()
    {
        var grid = SweepGrid.Parse(" mask.patch = 8, 16 ;mask.ratio=0.4,0.5,0.6; ");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(grid.ToString(), Is.EqualTo("mask.patch=8,16;mask.ratio=0.4,0.5,0.6"));
            Assert.That(
                grid.Cells().Select(c => string.Join('/', c)),
                Is.EqualTo(new[] { "8/0.4", "8/0.5", "8/0.6", "16/0.4", "16/0.5", "16/0.6" }));
        }
    }

    [Test]
    public void A_comma_in_brackets_belongs_to_a_value() =>
        Assert.That(SweepGrid.Parse("encoder.depths=[2,2],[2,4,1]").Axes[0].Values, Is.EqualTo(new[] { "[2,2]", "[2,4,1]" }));

    [TestCase("", "--grid is empty, expected KEY=VALUE")]
    [TestCase(";", "--grid is empty")]
    [TestCase("mask.patch", "--grid has the part 'mask.patch', expected KEY=VALUE")]
    [TestCase("=8", "--grid has the part '=8'")]
    [TestCase("mask.patch=8,,16", "--grid has the part 'mask.patch=8,,16'")]
    [TestCase("mask.patch=8,8", "--grid has mask.patch=8 twice")]
    [TestCase("mask.patch=8;mask.patch=16", "--grid has the key mask.patch twice")]
    [TestCase("train.epochs=2", "--grid cannot vary train.epochs, which follows from --steps")]
    public void What_is_no_grid_is_named(string text, string sentence) =>
        Assert.That(() => SweepGrid.Parse(text), Throws.TypeOf<FormatException>().With.Message.StartsWith(sentence));

    [TestCase("mask.pach=8", "--grid mask.pach=8: there is no key 'mask.pach'")]
    [TestCase("loss.kind=l2,l3", "--grid loss.kind=l3: loss.kind should be one of l2, l1")]
    [TestCase("mask.patch=x", "--grid mask.patch=x: ")]
    public void A_key_or_value_that_no_recipe_has_is_named(string text, string sentence) =>
        Assert.That(() => SweepGrid.Parse(text), Throws.TypeOf<RecipeException>().With.Message.StartsWith(sentence));

    [Test]
    public void Too_many_cells_are_named() => Assert.That(
        () => SweepGrid.Parse($"train.seed={string.Join(',', Enumerable.Range(0, 40))};mask.ratio={string.Join(',', Enumerable.Range(1, 30).Select(i => $"0.{i:D3}"))}"),
        Throws.TypeOf<FormatException>().With.Message.EqualTo("--grid has 1200 cells, expected at most 1000"));

    // 22 pictures in batches of 4: five steps an epoch, so that 12 steps are three epochs, and a tenth of them 0.24.
    [Test]
    public void A_cell_is_as_long_as_its_steps()
    {
        var plan = SweepPlan.Make(Simple, Small, SweepGrid.Parse("mask.patch=8,16"), steps: 12, images: 22);
        var recipe = plan.Cells[1].Recipe!;
        using (Assert.EnterMultipleScope())
        {
            Assert.That((recipe.Train.Epochs, recipe.Train.WarmupEpochs), Is.EqualTo((3, 0.24)));
            Assert.That(recipe.Mask.Patch, Is.EqualTo(16));
            Assert.That(plan.Cells[1].Name, Is.EqualTo("002_mask.patch=16"));
            Assert.That(plan.Cells[0].Parameters, Is.EqualTo(plan.Cells[1].Parameters).And.GreaterThan(1000));
        }
        var own = SweepPlan.Make(Simple, [.. Small, "train.warmup_epochs=2"], SweepGrid.Parse("train.batch=2,4"), 12, 22);
        Assert.That(own.Cells.Select(c => (c.Recipe!.Train.Epochs, c.Recipe.Train.WarmupEpochs)), Is.EqualTo(new[] { (2, 2.0), (3, 2.0) }));
    }

    [Test]
    public void A_combination_that_is_no_recipe_is_skipped_in_the_recipes_words()
    {
        var plan = SweepPlan.Make(Simple, Small, SweepGrid.Parse("encoder.patch=8,16;mask.patch=8,16"), steps: 5, images: 20);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(plan.Cells.Select(c => c.Recipe is not null), Is.EqualTo(new[] { true, true, false, true }));
            Assert.That(plan.Cells[2].Skipped, Does.Contain("mask.patch should be a multiple of encoder.patch, which is 16"));
        }
    }

    [TestCase("mask.patch=3,5", "no cell of the grid can run: ", "mask.patch should be")]
    [TestCase("train.batch=400", "no cell of the grid can run: the data holds 20 images", "set a smaller train.batch")]
    public void A_grid_of_which_nothing_can_run_is_an_error(string grid, string begins, string holds) => Assert.That(
        () => SweepPlan.Make(Simple, Small, SweepGrid.Parse(grid), 5, 20),
        Throws.ArgumentException.With.Message.StartsWith(begins).And.Message.Contains(holds));

    [Test]
    public void A_length_beside_the_steps_is_an_error() => Assert.That(
        () => SweepPlan.Make(Simple, [.. Small, "train.epochs=3"], SweepGrid.Parse("mask.patch=8"), 5, 20),
        Throws.ArgumentException.With.Message.EqualTo("train.epochs cannot be set in a sweep: it follows from --steps"));

    [TestCase("train.base_lr=0.01,0.02", 0, "")]
    [TestCase("mask.ratio=0.4,0.6", 1, "different difficulty")]
    [TestCase("target.reduction=1,2;loss.kind=l1,l2", 1, "target.reduction, loss.kind measure different things")]
    [TestCase("target.reduction=2", 0, "")]
    public void Losses_that_cannot_be_compared_are_told(string grid, int count, string holds)
    {
        var cautions = SweepPlan.Make(Simple, Small, SweepGrid.Parse(grid), 5, 20).Cautions();
        Assert.That(cautions, Has.Count.EqualTo(count));
        Assert.That(string.Join(' ', cautions), Does.Contain(holds));
    }

    [Test]
    public void A_cell_that_only_warms_up_is_told()
    {
        var cautions = SweepPlan.Make(Simple, Small, SweepGrid.Parse("train.warmup_epochs=0,1"), steps: 3, images: 20).Cautions();
        Assert.That(cautions, Has.Count.EqualTo(1).And.One.Contains("002_train.warmup_epochs=1: the whole run warms up"));
    }

    [Test]
    public void Values_with_commas_are_quoted_in_the_table()
    {
        var plan = SweepPlan.Make(
            Simple, Small, SweepGrid.Parse("train.no_decay=[\"a\",\"b\"],[]"), steps: 5, images: 20);
        var text = System.Text.Encoding.UTF8.GetString(SweepTable.Csv(
            plan, [.. plan.Cells.Select(c => new SweepResult(c, SweepStatus.Done, null, 5, 1.5, 0.25, double.NaN))]));
        var lines = text.TrimEnd('\n').Split('\n');
        using (Assert.EnterMultipleScope())
        {
            Assert.That(lines[0], Is.EqualTo("cell,train.no_decay,status,steps,first_loss,loss,images_per_second,parameters,reason"));
            Assert.That(lines[1], Does.Contain(",\"[\"\"a\"\",\"\"b\"\"]\",done,5,1.5,0.25,,"));
            Assert.That(lines, Has.Length.EqualTo(3));
        }
    }

    [Test]
    public void A_plot_has_a_line_for_each_value_of_the_other_keys()
    {
        var plan = SweepPlan.Make(Simple, Small, SweepGrid.Parse("mask.patch=8,16,32;mask.ratio=0.4,0.6"), steps: 5, images: 20);
        using var empty = SweepPlot.Draw(plan, [.. plan.Cells.Select(c => new SweepResult(c, SweepStatus.Waiting, null, 0, double.NaN, double.NaN, double.NaN))]);
        using var full = SweepPlot.Draw(plan, [.. plan.Cells.Select((c, i) => new SweepResult(c, SweepStatus.Done, null, 5, 1, i, 1))]);
        Assert.That(full.Width, Is.EqualTo(720 + (9 * 6) + 30), "room for 'ratio=0.4'");
        Assert.That(full.Pixels.SequenceEqual(empty.Pixels), Is.False);
    }

    private const string Simple = "simmim-vit-ti16";
}
