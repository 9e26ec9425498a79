using MimNative.Data;
using MimNative.Evaluation.Coverage;
using MimNative.Evaluation.Objects;
using MimNative.Nn;
using MimNative.Recipes;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Evaluation.Coverage;

public sealed class ObjectCoverageTests
{
    private const int Side = 20;

    private static readonly PatchGrid Grid = new(Side, Side, 3, Patch: 4);

    [Test]
    public void A_centre_crop_keeps_the_middle_of_a_wide_picture()
    {
        // 100 x 200 becomes 20 x 40, of which columns 10 to 30 are seen: 50 to 150 of the picture
        var view = Crop(TransformKind.CenterCrop).Origin(100, 200, []);
        Assert.That(ObjectCoverage.Share(new BoxObject(new Region(10, 40, 20, 70)), view), Is.EqualTo(20 / 30.0).Within(1e-12));
        Assert.That(ObjectCoverage.Share(new BoxObject(new Region(0, 0, 100, 200)), view), Is.EqualTo(0.5).Within(1e-12));
        Assert.That(ObjectCoverage.Share(new BoxObject(new Region(0, 0, 100, 49)), view), Is.Zero);
    }

    [Test]
    public void A_simple_resized_crop_loses_what_its_border_takes_the_place_of([Range(0, 8)] int top, [Values(0, 3, 4, 8)] int left)
    {
        var crop = Crop(TransformKind.SimpleResizedCrop);
        var view = crop.Origin(Side, Side, [(top + 0.5f) / 9, (left + 0.5f) / 9, 0.9f]);
        double rows = (Side - Math.Abs(top - 4)) / (double)Side, columns = (Side - Math.Abs(left - 4)) / (double)Side;
        var whole = new BoxObject(new Region(0, 0, Side, Side));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(ObjectCoverage.Share(whole, view), Is.EqualTo(rows * columns).Within(1e-12));
            // three pixels at the left edge: seen once at most, however often a border repeats them
            var edge = new BoxObject(new Region(0, 0, Side, 3));
            Assert.That(ObjectCoverage.Share(edge, view), Is.EqualTo(rows * Math.Clamp(3 - Math.Max(0, left - 4), 0, 3) / 3).Within(1e-12));
            Assert.That(ObjectCoverage.Share(edge, view, Grid, new bool[25]), Is.EqualTo(ObjectCoverage.Share(edge, view)).Within(1e-12));
        }
    }

    [Test]
    public void A_random_resized_crop_shows_its_box([Range(0, 9)] int sample)
    {
        var crop = Crop(TransformKind.RandomResizedCrop);
        var uniforms = new float[crop.UniformCount];
        Ops.RandomUniform(uniforms, 0, sample, RandomStream.Crop, epoch: 0, seed: 3);
        var view = crop.Origin(90, 120, uniforms);
        var box = RandomResizedCrop.Box(90, 120, 0.2, 1, 3 / 4.0, 4 / 3.0, uniforms);
        Assert.That(
            ObjectCoverage.Share(new BoxObject(new Region(0, 0, 90, 120)), view), Is.EqualTo(box.Height * box.Width / (90.0 * 120)).Within(1e-12));
        var full = new MaskObject(new Box(0, 0, 90, 120), [.. Enumerable.Repeat(1f, 90 * 120)]);
        Assert.That(ObjectCoverage.Share(full, view), Is.EqualTo(box.Height * box.Width / (90.0 * 120)).Within(1e-9));
    }

    [Test]
    public void Patches_share_out_what_the_crop_shows([Values] TransformKind kind, [Range(0, 4)] int sample)
    {
        var crop = Crop(kind);
        var uniforms = new float[crop.UniformCount];
        Ops.RandomUniform(uniforms, 0, sample, RandomStream.Crop, epoch: 0, seed: 3);
        var view = crop.Origin(33, 47, uniforms);
        var box = new BoxObject(new Region(4.5, 11, 27, 30.25));
        var before = ObjectCoverage.Share(box, view);
        double after = 0;
        for (var seen = 0; seen < Grid.Count; seen++)
        {
            bool[] hidden = [.. Enumerable.Range(0, Grid.Count).Select(p => p != seen)];
            after += ObjectCoverage.Share(box, view, Grid, hidden) / Grid.Count;
        }
        using (Assert.EnterMultipleScope())
        {
            // over masks that show each patch once, after is before / patches, exactly
            Assert.That(after, Is.EqualTo(before / Grid.Count).Within(1e-12));
            Assert.That(ObjectCoverage.Share(box, view, Grid, new bool[25]), Is.EqualTo(before).Within(1e-12));
            Assert.That(ObjectCoverage.Share(box, view, Grid, [.. Enumerable.Repeat(true, 25)]), Is.Zero);
            Assert.That(ObjectCoverage.PatchAreas(box, view, Grid).Sum(), Is.EqualTo(before * box.Area).Within(1e-9));
        }
    }

    [Test]
    public void A_tiny_object_is_seen_or_not()
    {
        var view = Crop(TransformKind.CenterCrop).Origin(Side, Side, []);
        var tiny = new BoxObject(new Region(9.1, 13.2, 9.15, 13.3));    // in patch (2, 3)
        for (var hidden = 0; hidden < Grid.Count; hidden++)
        {
            bool[] mask = [.. Enumerable.Range(0, Grid.Count).Select(p => p == hidden)];
            Assert.That(ObjectCoverage.Share(tiny, view, Grid, mask), Is.EqualTo(hidden == 13 ? 0 : 1).Within(1e-9));
        }
    }

    [Test]
    public void A_mask_of_another_grid_is_an_error() => Assert.That(
        () => ObjectCoverage.Share(new BoxObject(new Region(0, 0, 1, 1)), Crop(TransformKind.CenterCrop).Origin(9, 9, []), Grid, new bool[24]),
        Throws.ArgumentException.With.Message.EqualTo("a mask of 24 patches came, expected 5 x 5"));

    private static ITransform Crop(TransformKind kind) => new TransformSettings { Kind = kind, Height = Side, Width = Side }.Create();
}
