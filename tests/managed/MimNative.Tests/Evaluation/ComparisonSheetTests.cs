using MimNative.Evaluation;
using MimNative.Recipes;
using MimNative.Runtime;
using MimNative.Tests.Data;
using NUnit.Framework;

namespace MimNative.Tests.Evaluation;

public sealed class ComparisonSheetTests
{
    private const int Height = 20, Width = 130, Gap = 6;

    private readonly List<ReconstructedPicture> _made = [];

    [TearDown]
    public void Dispose() => _made.ForEach(p => p.Dispose());

    [Test]
    public void Runs_of_the_same_masks_share_a_column([Values] ComparedPicture shown)
    {
        ComparedRun[] runs = [Run("a", maskSeed: 7), Run("b", maskSeed: 7), Run("c", maskSeed: 7)];
        using var sheet = ComparisonSheet.Draw(runs, shown, "caption");
        var expected = new List<Func<int, Image>> { r => runs[0].Pictures[r].Original, r => runs[0].Pictures[r].Masked };
        expected.AddRange(runs.Select(run => new Func<int, Image>(
            r => shown == ComparedPicture.Pasted ? run.Pictures[r].Pasted : run.Pictures[r].Predicted)));
        Check(sheet, expected);
    }

    [Test]
    public void Runs_of_other_masks_have_a_column_each()
    {
        ComparedRun[] runs = [Run("a", maskSeed: 7), Run("b", maskSeed: 8)];
        using var sheet = ComparisonSheet.Draw(runs, ComparedPicture.Pasted, "caption");
        var expected = new List<Func<int, Image>> { r => runs[0].Pictures[r].Original };
        expected.AddRange(runs.SelectMany(run => new Func<int, Image>[] { r => run.Pictures[r].Masked, r => run.Pictures[r].Pasted }));
        Check(sheet, expected);
    }

    [Test]
    public void A_title_says_in_what_a_run_differs()
    {
        string[] Titles(params string[][] settings) =>
            [.. ComparisonSheet.Titles([.. settings.Select((s, i) => ($"run{i}", SmallModel.Recipe(s)))])];

        using (Assert.EnterMultipleScope())
        {
            Assert.That(Titles([], ["mask.ratio=0.5"], ["mask.ratio=0.6"]), Is.EqualTo(new[] { "mask.ratio=0.75", "mask.ratio=0.5", "mask.ratio=0.6" }));
            Assert.That(Titles(["loss.kind=l1"], ["mask.ratio=0.5"]), Is.EqualTo(
                new[] { "loss.kind=l1\nmask.ratio=0.75", "loss.kind=l2\nmask.ratio=0.5" }));
            Assert.That(Titles([], []), Is.EqualTo(new[] { "run0", "run1" }));
            Assert.That(Titles([], ["loss.kind=l1", "mask.ratio=0.5", "train.batch=3"]), Is.EqualTo(new[] { "run0", "run1" }), "too much for a title");
        }
    }

    private static void Check(Image sheet, List<Func<int, Image>> columns)
    {
        Assert.That(sheet.Width, Is.EqualTo((columns.Count * (Width + Gap)) + Gap));
        // titles have two lines
        int line = (sheet.Height - (2 * (Height + Gap)) - (2 * Gap)) / 3, head = (2 * line) + Gap;
        for (var row = 0; row < 2; row++)
        {
            for (var column = 0; column < columns.Count; column++)
            {
                using var cell = sheet.Crop(new Box(head + (row * (Height + Gap)), Gap + (column * (Width + Gap)), Height, Width));
                Assert.That(cell.Pixels.SequenceEqual(columns[column](row).Pixels), $"row {row}, column {column}");
            }
        }
    }

    private ComparedRun Run(string name, int maskSeed)
    {
        var pictures = Enumerable.Range(0, 2).Select(row => new ReconstructedPicture(
            Pictures.Noise(Height, Width, row), Pictures.Noise(Height, Width, maskSeed + (10 * row)),
            Pictures.Noise(Height, Width, name[0] + (10 * row)), Pictures.Noise(Height, Width, name[0] + (10 * row) + 1), Loss: 1)).ToArray();
        _made.AddRange(pictures);
        return new ComparedRun(name, new Recipe(), pictures);
    }
}
