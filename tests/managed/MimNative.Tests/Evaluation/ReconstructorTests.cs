using MimNative.Evaluation;
using MimNative.Runtime;
using MimNative.Tests.Data;
using MimNative.Training;
using NUnit.Framework;

namespace MimNative.Tests.Evaluation;

[TestFixture("raw_pixels")]
[TestFixture("normalized_pixels")]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class ReconstructorTests : IDisposable
{
    private readonly Context _context = new(Device.Cpu, threads: 1);
    private readonly Model _model;
    private readonly Reconstructor _reconstructor;
    private readonly Image _picture = Pictures.Noise(SmallModel.Height, SmallModel.Width, seed: 20);

    public ReconstructorTests(string target)
    {
        _model = SmallModel.Create(_context, $"target.kind={target}");
        _reconstructor = new Reconstructor(_model);
    }

    public void Dispose()
    {
        _picture.Dispose();
        _reconstructor.Dispose();
        _model.Dispose();
        _context.Dispose();
    }

    [Test]
    public void Visible_patches_stay_as_they_are_and_removed_ones_are_as_predicted([Values] StatisticsSource statistics)
    {
        var removed = _reconstructor.RandomMask(seed: 1, sample: 2);
        using var result = _reconstructor.Reconstruct(_picture, removed, statistics);
        using var _ = Assert.EnterMultipleScope();
        Assert.That(result.Original.Pixels.ToArray(), Is.EqualTo(_picture.Pixels.ToArray()));
        Assert.That(result.Loss, Is.GreaterThan(0).And.LessThan(100));
        for (var patch = 0; patch < SmallModel.Patches; patch++)
        {
            var original = Patch(_picture, patch);
            Assert.That(Patch(result.Pasted, patch), Is.EqualTo(removed[patch] ? Patch(result.Predicted, patch) : original));
            Assert.That(Patch(result.Masked, patch), Is.EqualTo(removed[patch] ? [.. Enumerable.Repeat((byte)127, 192)] : original));
            Assert.That(Patch(result.Predicted, patch), Is.Not.EqualTo(original));
        }
    }

    // One removed patch leaves the encoder the most tokens: the largest step that there is.
    [Test]
    public void One_patch_alone_can_be_removed_or_kept([Values] StatisticsSource statistics, [Values] bool kept)
    {
        bool[] removed = [.. Enumerable.Range(0, SmallModel.Patches).Select(i => (i == 4) != kept)];
        using var result = _reconstructor.Reconstruct(_picture, removed, statistics);
        Assert.That(Patch(result.Pasted, 4).SequenceEqual(Patch(_picture, 4)), Is.EqualTo(kept));
    }

    [Test]
    public void With_visible_statistics_nothing_of_what_was_removed_is_shown()
    {
        bool[] removed = [.. Enumerable.Range(0, SmallModel.Patches).Select(i => i % 3 != 0)];
        using var other = _picture.Crop(_picture.Box);
        using var result = _reconstructor.Reconstruct(_picture, removed, StatisticsSource.Visible);
        foreach (var patch in Enumerable.Range(0, SmallModel.Patches).Where(i => removed[i]))
        {
            foreach (var row in Rows(patch))
            {
                other.Pixels.Slice(row, SmallModel.Patch * 3).Clear();
            }
        }
        using var result2 = _reconstructor.Reconstruct(other, removed, StatisticsSource.Visible);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(result2.Predicted.Pixels.ToArray(), Is.EqualTo(result.Predicted.Pixels.ToArray()));
            Assert.That(result2.Pasted.Pixels.ToArray(), Is.EqualTo(result.Pasted.Pixels.ToArray()));
        }
    }

    [Test]
    public void A_random_mask_is_a_function_of_seed_and_sample()
    {
        var mask = _reconstructor.RandomMask(3, 4);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(mask.Count(r => !r), Is.EqualTo(MimNative.Masking.MaskCounts.MaeKept(_model.Recipe.Patches(), _model.Recipe.Mask.Ratio)));
            Assert.That(_reconstructor.RandomMask(3, 4), Is.EqualTo(mask));
            Assert.That(Enumerable.Range(5, 20).Select(s => _reconstructor.RandomMask(3, s)), Has.Some.Not.EqualTo(mask));
        }
    }

    [Test]
    public void The_caption_says_where_the_statistics_come_from()
    {
        string[] captions = [_reconstructor.Caption(StatisticsSource.True), _reconstructor.Caption(StatisticsSource.Visible)];
        Assert.That(captions, _model.Method.Prediction.Normalized
            ? Is.EqualTo(new[] { "de-normalised with ground-truth patch statistics", "de-normalised with visible-neighbour statistics" })
            : Has.All.EqualTo("predictions are pixels"));
    }

    [Test]
    public void A_picture_of_another_size_is_an_error()
    {
        using var small = Image.Create(8, 40);
        Assert.That(
            () => _reconstructor.Reconstruct(small, new bool[15], StatisticsSource.True),
            Throws.ArgumentException.With.Message.EqualTo("the picture is 8 x 40, the model expects 24 x 40"));
    }

    private static byte[] Patch(Image image, int patch) =>
        [.. Rows(patch).SelectMany(row => image.Pixels.Slice(row, SmallModel.Patch * 3).ToArray())];

    private static IEnumerable<int> Rows(int patch) => Enumerable.Range(0, SmallModel.Patch)
        .Select(y => (((patch / 5 * SmallModel.Patch) + y) * SmallModel.Width + (patch % 5 * SmallModel.Patch)) * 3);
}
