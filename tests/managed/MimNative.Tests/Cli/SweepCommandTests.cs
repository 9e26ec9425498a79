using System.Text.Json;
using MimNative.Cli;
using NUnit.Framework;

namespace MimNative.Tests.Cli;

/// <summary><c>mim sweep</c> as a user runs it: it runs, is stopped, goes on, and refuses what is another sweep.</summary>
public sealed class SweepCommandTests : FolderTests
{
    private const string Grid = "mask.ratio=0.5,0.75;target.kind=raw_pixels,normalized_pixels";

    // One sweep from its beginning, its first cell cut short as a crash would, against one in one go.
    [Test]
    public void A_sweep_goes_on_where_it_was_and_keeps_what_is_done()
    {
        string whole = At("whole"), cut = At("cut");
        string output = CommandLine.Run(Sweep(whole, Grid)).Succeeds();
        Assert.That(output, Does.Contain("cell       004_mask.ratio=0.75_target.kind=normalized_pixels (4 in all)")
            .And.Contain("note       losses of cells that differ in target.kind measure different things")
            .And.Contain("different difficulty"));

        TinyRun.Copy(whole, cut);
        string first = Path.Combine(cut, "001_mask.ratio=0.5_target.kind=raw_pixels");
        Directory.Delete(Path.Combine(cut, "004_mask.ratio=0.75_target.kind=normalized_pixels"), recursive: true);
        Directory.Delete(Path.Combine(first, "checkpoints"), recursive: true);
        var (code, json, again) = CommandLine.Run(Sweep(cut, Grid, "--json"));
        Assert.That(code, Is.Zero, again);
        Assert.That(again, Does.Contain("001_").And.Contain("004_").And.Not.Contain("002_").And.Not.Contain("003_"));
        using var results = JsonDocument.Parse(json);
        using var expected = JsonDocument.Parse(File.ReadAllText(Path.Combine(whole, "results.json")));
        var cells = results.RootElement.GetProperty("cells").EnumerateArray().ToList();
        var wanted = expected.RootElement.GetProperty("cells").EnumerateArray().ToList();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(cells.Select(c => c.GetProperty("status").GetString()), Has.All.EqualTo("done"));
            Assert.That(cells.Select(Loss), Is.EqualTo(wanted.Select(Loss)), "the same bits as in one go");
            Assert.That(cells.Select(Loss).Distinct().Count(), Is.EqualTo(4));
            Assert.That(cells.Select(c => c.GetProperty("steps").GetInt32()), Has.All.EqualTo(4));
            Assert.That(results.RootElement.GetProperty("cautions").GetArrayLength(), Is.EqualTo(2));
            Assert.That(File.ReadLines(Path.Combine(cut, "results.csv")).Count(), Is.EqualTo(5));
            Assert.That(File.Exists(Path.Combine(cut, "results.png")), Is.True);
        }
        CommandLine.Run("info", first).Succeeds();   // a cell is a run like any other
    }

    [Test]
    public void Another_sweep_in_the_same_folder_is_refused()
    {
        string folder = At("sweep");
        CommandLine.Run(Sweep(folder, "mask.ratio=0.5,0.99")).Succeeds();
        CommandLine.Run(Sweep(folder, "mask.ratio=0.5,0.6"))
            .Fails(ExitCode.BadInput, $"'{folder}' holds a sweep of another grid, --grid \"mask.ratio=0.5,0.99\"");
        CommandLine.Run([.. Sweep(folder, "mask.ratio=0.5,0.99")[..^8], "--steps", "5", "--out", folder])
            .Fails(ExitCode.BadInput, $"'{folder}' holds a sweep of 4 steps a cell, but --steps is 5");
        CommandLine.Run(Sweep(folder, "mask.ratio=0.5,0.99", "--set", "train.base_lr=0.01"))
            .Fails(ExitCode.BadInput, $"'{folder}' holds a sweep of another recipe: train.base_lr was 0.05 and is 0.01");
        CommandLine.Run(Sweep(TinyRun.Run, "mask.ratio=0.5")).Fails(ExitCode.BadInput, $"'{TinyRun.Run}' is not empty and holds no sweep");
        CommandLine.Run(Sweep(Path.Combine(TinyRun.Pictures, "sweep"), "mask.ratio=0.5")).Fails(ExitCode.BadInput, "lies inside the pictures' folder");
    }

    [Test]
    public void A_cell_that_cannot_run_or_does_not_train_is_a_line_of_the_table()
    {
        string folder = At("sweep");
        string output = CommandLine.Run(Sweep(
            folder, "train.base_lr=0.05,1e30;mask.ratio=0.75,0.999", "--set", "train.precision=f32")).Succeeds();
        Assert.That(output, Does.Contain("skipped    002_train.base_lr=0.05_mask.ratio=0.999: ").And.Contain("failed     003_train.base_lr=1e30_mask.ratio=0.75: the loss of step"));
        string[] rows = File.ReadAllLines(Path.Combine(folder, "results.csv"));
        Assert.That(rows.Skip(1).Select(r => r.Split(',')[3]), Is.EqualTo(new[] { "done", "skipped", "failed", "skipped" }));
    }

    [TestCase("mask.ratio", "--grid has the part 'mask.ratio', expected KEY=VALUE")]
    [TestCase("mask.ration=0.5", "--grid mask.ration=0.5: there is no key 'mask.ration'; did you mean 'mask.ratio'?")]
    [TestCase("mask.ratio=2,3", "no cell of the grid can run: ")]
    public void A_wrong_grid_is_named_before_anything_runs(string grid, string named)
    {
        CommandLine.Run(Sweep(At("sweep"), grid)).Fails(ExitCode.BadInput, named);
        Assert.That(Directory.Exists(At("sweep")), Is.False);
    }

    private static double Loss(JsonElement cell) => cell.GetProperty("loss").GetDouble();

    private static string[] Sweep(string folder, string grid, params string[] more) =>
    [
        "sweep", "--recipe", TinyRun.RecipeFile, "--data", TinyRun.Pictures, "--grid", grid, "--steps", "4", "--out", folder, "--threads", "1",
        "--workers", "1", .. more,
    ];
}
