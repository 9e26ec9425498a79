using MimNative.Data;
using MimNative.Evaluation.Coverage;
using MimNative.Evaluation.Objects;
using MimNative.Masking;
using MimNative.Nn;
using MimNative.Recipes;
using NUnit.Framework;

namespace MimNative.Tests.Evaluation.Coverage;

public sealed class CoverageStudyTests
{
    private const int Side = 20;

    private static readonly PatchGrid Grid = new(Side, Side, 3, Patch: 4);  // 25 patches, of which MAE keeps trunc(6.25)

    [Test]
    public void Random_resized_crops_keep_what_the_formula_of_their_boxes_does()
    {
        const int Height = 120, Width = 160;
        var picturedObject = new Region(20, 90, 70, 150);
        var study = Study(draws: 4000);
        study.Add(sample: 1, Height, Width, [new BoxObject(picturedObject)]);
        // torchvision's formula with other random numbers
        var random = new Random(1);
        double[] shares = [.. Enumerable.Range(0, 20_000).Select(_ => Draw() / picturedObject.Area)];
        var mean = shares.Average();
        var deviation = Math.Sqrt(shares.Sum(s => (s - mean) * (s - mean)) / shares.Length);
        Assert.That(study.Result(0).Before, Is.EqualTo(mean).Within(4 * deviation * Math.Sqrt((1 / 4000.0) + (1 / 20_000.0))));

        double Draw()
        {
            while (true)
            {
                double area = Height * Width * (0.2 + (0.8 * random.NextDouble()));
                double ratio = Math.Exp(Math.Log(3 / 4.0) + (random.NextDouble() * Math.Log(16 / 9.0)));
                double w = Math.Round(Math.Sqrt(area * ratio)), h = Math.Round(Math.Sqrt(area / ratio));
                if (w <= Width && h <= Height)
                {
                    int top = random.Next(Height - (int)h + 1), left = random.Next(Width - (int)w + 1);
                    return picturedObject.Intersect(new Region(top, left, top + h, left + w)).Area;
                }
            }
        }
    }

    [Test]
    public void Simple_resized_crops_keep_more_and_as_much_as_their_offsets_leave()
    {
        var study = Study(draws: 4000);
        study.Add(sample: 1, Side, Side, [new BoxObject(new Region(0, 0, Side, Side))]);
        // offsets 0 to 8, 4 for none: the mean of |offset - 4| is 20 / 9
        var expected = Math.Pow(1 - (20 / 9.0 / Side), 2);
        Assert.That(study.Result(1).Before, Is.EqualTo(expected).Within(4 * 0.1 / Math.Sqrt(4000)));
        Assert.That(study.Result(1).Before, Is.GreaterThan(study.Result(0).Before + 0.1));
        Assert.That(study.Result(2).Before, Is.EqualTo(1).Within(1e-12), "a centre crop of a square loses nothing");
    }

    [Test]
    public void Masks_leave_the_share_of_the_patches_that_they_keep()
    {
        var study = Study(draws: 40);
        var random = new Random(2);
        for (var i = 0; i < 60; i++)
        {
            double top = random.NextDouble() * 40, left = random.NextDouble() * 60;
            study.Add(i, 60, 80, [new BoxObject(new Region(top, left, top + 5 + (random.NextDouble() * 15), left + 5 + (random.NextDouble() * 15)))]);
        }
        Assert.That(study.Visible, Is.EqualTo(6 / 25.0));
        for (var crop = 0; crop < 3; crop++)
        {
            var result = study.Result(crop);
            using (Assert.EnterMultipleScope())
            {
                Assert.That(result.RatioError, Is.InRange(1e-4, 0.01));
                Assert.That(result.Ratio, Is.EqualTo(6 / 25.0).Within(4 * result.RatioError));
                Assert.That(result.After, Is.EqualTo(result.Ratio * result.Before).Within(1e-12));
            }
        }
        Assert.That(study.Result(1).Before, Is.GreaterThan(study.Result(0).Before));
    }

    [Test]
    public void Every_object_counts_once_and_pictures_are_what_was_sampled()
    {
        // of a wide picture the centre crop sees columns 10 to 30
        BoxObject all = new(new Region(0, 12, 5, 20)), half = new(new Region(0, 5, 5, 15)), none = new(new Region(0, 0, 5, 9));
        var study = Study(draws: 1);
        study.Add(0, Side, 2 * Side, [all]);
        Assert.That(study.Result(2).Before, Is.EqualTo(1));
        Assert.That(study.Result(2).BeforeError, Is.NaN, "of one picture nothing is known");
        study.Add(1, Side, 2 * Side, [half, none]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That((study.Pictures, study.Objects), Is.EqualTo((2, 3)));
            Assert.That(study.Result(2).Before, Is.EqualTo(0.5).Within(1e-12));
            // residuals 1 - 0.5 and 0.5 - 2 * 0.5: sqrt(2 (0.25 + 0.25)) / 3
            Assert.That(study.Result(2).BeforeError, Is.EqualTo(1 / 3.0).Within(1e-12));
        }
    }

    [Test]
    public void Same_seed_same_numbers_and_another_seed_others()
    {
        CoverageResult Of(long seed)
        {
            var study = Study(draws: 3, seed);
            study.Add(5, 50, 70, [new BoxObject(new Region(5, 10, 30, 60))]);
            study.Add(9, 70, 50, [new BoxObject(new Region(5, 10, 30, 30))]);
            return study.Result(0);
        }

        Assert.That(Of(1), Is.EqualTo(Of(1)));
        Assert.That(Of(2), Is.Not.EqualTo(Of(1)));
    }

    [Test]
    public void Without_objects_there_is_no_result()
    {
        var study = Study(draws: 1);
        Assert.That(() => study.Result(0), Throws.InvalidOperationException.With.Message.Contains("no object"));
        Assert.That(() => study.Add(0, 5, 5, []), Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    private static CoverageStudy Study(int draws, long seed = 7)
    {
        var masking = new RandomMasking(0.75, Grid.Count);
        TransformKind[] kinds = [TransformKind.RandomResizedCrop, TransformKind.SimpleResizedCrop, TransformKind.CenterCrop];
        return new CoverageStudy(
            [.. kinds.Select(kind => new TransformSettings { Kind = kind, Height = Side, Width = Side }.Create())], Grid,
            key => masking.SampleHidden(key), draws, seed);
    }
}
