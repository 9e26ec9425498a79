using MimNative.Data;
using MimNative.Recipes;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Data;

[TestFixture]
public sealed class ViewOriginTests
{
    // A picture whose pixels say where they are: red is the column, green the row.
    [Test]
    public void Every_pixel_of_a_view_comes_from_where_its_origin_says(
        [Values] TransformKind kind, [Values(0, 1, 2, 3)] int sample, [Values("180x240", "240x180", "60x250", "48x40")] string size)
    {
        int height = int.Parse(size.Split('x')[0]), width = int.Parse(size.Split('x')[1]);
        using var picture = Image.Create(height, width);
        for (int i = 0; i < height * width; ++i)
        {
            (picture.Pixels[3 * i], picture.Pixels[3 * i + 1]) = ((byte)(i % width), (byte)(i / width));
        }
        var settings = new TransformSettings { Kind = kind, Height = 48, Width = 40, Interpolation = Interpolation.Bilinear };
        var crop = settings.Create();
        var uniforms = new float[crop.UniformCount];
        Ops.RandomUniform(uniforms, 0, sample, RandomStream.Crop, epoch: 0, seed: 5);
        var pixels = new byte[3 * 48 * 40];
        crop.Apply(picture, uniforms, pixels);

        var origin = crop.Origin(height, width, uniforms);
        int compared = 0;
        for (int y = 0; y < 48; ++y)
        {
            for (int x = 0; x < 40; ++x)
            {
                var cell = origin.Cell(y, x, 48, 40);
                var whole = (origin with { Shown = origin.Whole }).Cell(y, x, 48, 40);
                double marginY = Math.Max(1, whole.Height) + 0.5, marginX = Math.Max(1, whole.Width) + 0.5;
                // the resampling of a border's neighbours ends at the crop's edge, or looks into the border
                if (whole.Top - marginY < origin.Shown.Top || whole.Bottom + marginY > origin.Shown.Bottom ||
                    whole.Left - marginX < origin.Shown.Left || whole.Right + marginX > origin.Shown.Right)
                {
                    continue;
                }
                ++compared;
                int at = 3 * (y * 40 + x);
                Assert.That(pixels[at], Is.EqualTo((cell.Left + cell.Right) / 2 - 0.5).Within(1), $"column of {y}, {x}");
                Assert.That(pixels[at + 1], Is.EqualTo((cell.Top + cell.Bottom) / 2 - 0.5).Within(1), $"row of {y}, {x}");
            }
        }
        Assert.That(compared, Is.GreaterThan(800));
    }

    [Test]
    public void A_mirrored_border_shows_nothing()
    {
        var crop = new TransformSettings { Kind = TransformKind.SimpleResizedCrop, Height = 20, Width = 20, Padding = 4 }.Create();
        // Twice the view: a pixel of the border is two of the picture's. Offsets 0 and 8 of 0 to 8.
        var origin = crop.Origin(40, 40, [0f, 0.999f, 0.9f]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(origin.Whole, Is.EqualTo(new Region(-8, 8, 32, 48)));
            Assert.That(origin.Shown, Is.EqualTo(new Region(0, 8, 32, 40)));
            Assert.That(origin.Mirrored, Is.False);
            Assert.That(origin.Cell(0, 0, 10, 10).Area, Is.Zero);      // 4 x 4 pixels, all in the border
            Assert.That(origin.Cell(2, 0, 10, 10), Is.EqualTo(new Region(0, 8, 4, 12)));
        }
    }

    [Test]
    public void Left_and_right_change_places_in_a_mirrored_view()
    {
        var origin = new ViewOrigin(new Region(0, 0, 10, 40), new Region(0, 0, 10, 40), Mirrored: true);
        Assert.That(origin.Cell(0, 0, 1, 4), Is.EqualTo(new Region(0, 30, 10, 40)));
        Assert.That(origin.Cell(0, 3, 1, 4), Is.EqualTo(new Region(0, 0, 10, 10)));
    }

    [Test]
    public void The_cells_of_a_view_are_all_that_is_shown([Values] TransformKind kind, [Values(1, 2, 3)] int sample)
    {
        var crop = new TransformSettings { Kind = kind, Height = 32, Width = 32 }.Create();
        var uniforms = new float[crop.UniformCount];
        Ops.RandomUniform(uniforms, 0, sample, RandomStream.Crop, epoch: 0, seed: 5);
        var origin = crop.Origin(77, 101, uniforms);
        double cells = Enumerable.Range(0, 64).Sum(i => origin.Cell(i / 8, i % 8, 8, 8).Area);
        Assert.That(cells, Is.EqualTo(origin.Shown.Area).Within(1e-9 * origin.Shown.Area));
    }
}
