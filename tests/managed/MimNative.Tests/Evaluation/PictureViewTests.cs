using MimNative.Evaluation;
using MimNative.Nn;
using MimNative.Runtime;
using MimNative.Tests.Data;
using NUnit.Framework;

namespace MimNative.Tests.Evaluation;

/// <summary>The model's input is 24 x 40, 3 x 5 patches of 8.</summary>
public sealed class PictureViewTests
{
    private static readonly PatchGrid Grid = new(SmallModel.Height, SmallModel.Width, 3, SmallModel.Patch);

    [Test]
    public void A_picture_of_the_models_size_is_seen_as_it_is()
    {
        using var picture = Pictures.Noise(24, 40, seed: 1);
        using var view = PictureView.Of(picture, SmallModel.Recipe());
        Assert.That(view.Image.Pixels.ToArray(), Is.EqualTo(picture.Pixels.ToArray()));
    }

    // top, left, height, width of the box; the patches that it touches
    [TestCase(24, 40, 8, 16, 8, 8, new[] { 7 }, TestName = "One_patch")]
    [TestCase(24, 40, 7, 16, 2, 8, new[] { 2, 7 }, TestName = "A_pixel_more_touches_the_next_row")]
    [TestCase(24, 40, 23, 39, 1, 1, new[] { 14 }, TestName = "The_last_pixel")]
    [TestCase(48, 80, 16, 32, 16, 16, new[] { 7 }, TestName = "A_picture_twice_as_large")]
    [TestCase(24, 60, 0, 10, 8, 8, new[] { 0 }, TestName = "A_wide_picture_loses_ten_pixels_left_and_right")]
    [TestCase(24, 60, 0, 0, 24, 10, new int[0], TestName = "What_was_cut_off_touches_nothing")]
    [TestCase(64, 40, 20, 0, 8, 8, new[] { 0 }, TestName = "A_tall_picture_loses_twenty_above_and_below")]
    [TestCase(24, 40, 0, 32, 2147483647, 2147483647, new[] { 4, 9, 14 }, TestName = "A_box_without_end")]
    public void A_box_of_the_picture_touches_patches(int height, int width, int top, int left, int boxHeight, int boxWidth, int[] touched)
    {
        using var picture = Image.Create(height, width);
        using var view = PictureView.Of(picture, SmallModel.Recipe());
        var got = view.PatchesOf(new Box(top, left, boxHeight, boxWidth), Grid);
        Assert.That(Enumerable.Range(0, got.Length).Where(i => got[i]), Is.EqualTo(touched));
    }

    [TestCase(24, 40)]
    [TestCase(72, 120)]
    [TestCase(24, 60)]
    public void A_mask_picture_marks_the_patches_that_its_bright_pixels_cover(int height, int width)
    {
        using var mask = Image.Create(height, width);
        using var view = PictureView.Of(mask, SmallModel.Recipe());
        int scale = height / 24, cut = (width / scale - 40) / 2;
        var box = new Box(8 * scale, (16 + cut) * scale, 16 * scale, 8 * scale);    // patches 7 and 12
        for (var y = box.Top; y < box.Top + box.Height; y++)
        {
            mask.Pixels.Slice(((y * width) + box.Left) * 3, box.Width * 3).Fill(255);
        }
        var marked = PictureView.PatchesOf(mask, SmallModel.Recipe(), Grid, share: 0.5);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Enumerable.Range(0, 15).Where(i => marked[i]), Is.EqualTo(new[] { 7, 12 }));
            Assert.That(view.PatchesOf(box, Grid), Is.EqualTo(marked));
        }
    }

    [Test]
    public void A_patch_that_is_marked_to_less_than_its_share_stays()
    {
        using var mask = Image.Create(24, 40);
        for (var y = 0; y < 3; y++)
        {
            mask.Pixels.Slice(y * 40 * 3, 8 * 3).Fill(255);    // 24 of the 64 pixels of patch 0
        }
        using (Assert.EnterMultipleScope())
        {
            Assert.That(PictureView.PatchesOf(mask, SmallModel.Recipe(), Grid, share: 24.0 / 64)[0]);
            Assert.That(PictureView.PatchesOf(mask, SmallModel.Recipe(), Grid, share: 25.0 / 64)[0], Is.False);
        }
    }
}
