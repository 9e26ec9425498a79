using FsCheck.Fluent;
using FsCheck;
using MimNative.Data;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Data;

[TestFixture]
public sealed class RandomResizedCropTests
{
    private const double ThreeToFour = 3.0 / 4.0, FourToThree = 4.0 / 3.0;

    // Uniform numbers and the boxes that torchvision 0.21 made of them; only the numbers that were used are listed.
    private static readonly Recorded[] Torchvision =
    [
        new(37, 53, 0.2, 1.0, ThreeToFour, FourToThree, new Box(7, 20, 21, 25),
        [
             0.0763082877f, 0.77991879f, 0.438409239f, 0.723465204f
        ]),
        new(37, 53, 0.67, 1.0, ThreeToFour, FourToThree, new Box(1, 3, 36, 43),
        [
             0.230302885f, 0.548489928f, 0.909128368f, 0.133169442f, 0.523412585f, 0.750409842f, 0.669013262f,
             0.467752874f, 0.204849094f, 0.490765899f, 0.372384697f, 0.477401167f, 0.365890384f, 0.837917984f,
             0.768647492f, 0.313994676f
        ]),
        new(37, 53, 0.9, 1.0, 1, 1, new Box(0, 8, 37, 37),
        [
             0.459092975f, 0.719324112f, 0.412991822f, 0.906423271f, 0.180451617f, 0.741118848f, 0.42237404f,
             0.426453561f, 0.634379864f, 0.522906184f, 0.414885968f, 0.0014268806f, 0.0922623426f, 0.709394395f,
             0.524345577f, 0.696160436f, 0.955468297f, 0.68291384f, 0.0531286895f, 0.308852673f
        ]),
        new(100, 75, 0.2, 1.0, ThreeToFour, FourToThree, new Box(3, 1, 90, 73),
        [
             0.964971006f, 0.945048213f, 0.848400891f, 0.472323984f, 0.841476738f, 0.131110638f, 0.308733672f,
             0.462996393f
        ]),
        new(100, 75, 0.67, 1.0, ThreeToFour, FourToThree, new Box(19, 0, 76, 75),
        [
             0.887288928f, 0.674918771f, 0.800479054f, 0.939111352f, 0.0406558104f, 0.875671744f, 0.276563078f,
             0.475764513f, 0.796760976f, 0.717242241f
        ]),
        new(100, 75, 0.9, 1.0, 1, 1, new Box(12, 0, 75, 75),
        [
             0.463136226f, 0.0554995015f, 0.541442156f, 0.607770741f, 0.828453183f, 0.941809297f, 0.128147855f,
             0.230430678f, 0.659158409f, 0.13247399f, 0.22407864f, 0.574862599f, 0.169523731f, 0.782230139f,
             0.856975615f, 0.0336742029f, 0.532644808f, 0.796951354f, 0.975139678f, 0.274258584f
        ]),
        new(64, 64, 0.2, 1.0, ThreeToFour, FourToThree, new Box(16, 2, 45, 51),
        [
             0.909182489f, 0.197532892f, 0.441529751f, 0.719232142f, 0.84534514f, 0.168275312f
        ]),
        new(64, 64, 0.67, 1.0, ThreeToFour, FourToThree, new Box(4, 12, 57, 52),
        [
             0.134570464f, 0.331357211f, 0.59034586f, 0.940661371f
        ]),
        new(64, 64, 0.9, 1.0, 1, 1, new Box(0, 1, 62, 62),
        [
             0.360780507f, 0.418099552f, 0.181404293f, 0.521014094f
        ]),
        new(7, 200, 0.2, 1.0, ThreeToFour, FourToThree, new Box(0, 95, 7, 9),
        [
             0.650128305f, 0.595621109f, 0.751953542f, 0.0616653301f, 0.744823694f, 0.946275949f, 0.603559554f,
             0.287579954f, 0.672369242f, 0.712048769f, 0.656450272f, 0.146930322f, 0.973475575f, 0.95538348f,
             0.424625546f, 0.593637347f, 0.0396285728f, 0.988634348f, 0.818745017f, 0.636502326f
        ]),
        new(7, 200, 0.67, 1.0, ThreeToFour, FourToThree, new Box(0, 95, 7, 9),
        [
             0.307654589f, 0.246393651f, 0.59604913f, 0.0919048488f, 0.895609975f, 0.462275952f, 0.444812357f,
             0.104711302f, 0.684904039f, 0.816893995f, 0.629550159f, 0.242022604f, 0.785420716f, 0.145679429f,
             0.827276349f, 0.580705345f, 0.289372802f, 0.513243377f, 0.628851414f, 0.258589506f
        ]),
        new(7, 200, 0.9, 1.0, 1, 1, new Box(0, 96, 7, 7),
        [
             0.892337441f, 0.83546859f, 0.0993475169f, 0.646254122f, 0.310494572f, 0.754053175f, 0.542631686f,
             0.457598865f, 0.895366788f, 0.0572535582f, 0.557317615f, 0.327911109f, 0.0352733359f, 0.753518522f,
             0.561740637f, 0.89414531f, 0.598261237f, 0.337034285f, 0.985219657f, 0.115714051f
        ]),
        new(120, 93, 0.2, 1.0, ThreeToFour, FourToThree, new Box(38, 7, 77, 72),
        [
             0.370874912f, 0.361465067f, 0.876532137f, 0.327293634f
        ]),
        new(120, 93, 0.67, 1.0, ThreeToFour, FourToThree, new Box(3, 2, 99, 79),
        [
             0.731421292f, 0.523707986f, 0.0925818011f, 0.106059216f, 0.149224952f, 0.161200002f
        ]),
        new(120, 93, 0.9, 1.0, 1, 1, new Box(13, 0, 93, 93),
        [
             0.82311213f, 0.609386623f, 0.398602277f, 0.834478736f, 0.869058371f, 0.87190491f, 0.717636406f,
             0.097787343f, 0.298579425f, 0.485922068f, 0.505053341f, 0.832873404f, 0.237836778f, 0.664590776f,
             0.374199897f, 0.775482535f, 0.195774332f, 0.47662729f, 0.103558578f, 0.211990178f
        ]),
    ];

    [TestCaseSource(nameof(Torchvision))]
    public void Box_is_torchvisions(Recorded recorded)
    {
        var uniforms = new float[RandomResizedCrop.BoxUniforms];
        recorded.Uniforms.CopyTo(uniforms, 0);
        Assert.That(RandomResizedCrop.Box(recorded.Height, recorded.Width, recorded.ScaleMin, recorded.ScaleMax,
                                          recorded.RatioMin, recorded.RatioMax, uniforms),
                    Is.EqualTo(recorded.Box));
    }

    [Test]
    public void Box_lies_inside_the_picture_whatever_its_size()
    {
        Prop.ForAll(Boxes.Sizes, Boxes.Uniforms(RandomResizedCrop.BoxUniforms), Boxes.Ranges, (size, uniforms, range) =>
        {
            var box = RandomResizedCrop.Box(size.Height, size.Width, range.ScaleMin, range.ScaleMax, range.RatioMin,
                                            range.RatioMax, uniforms);
            return Boxes.IsInside(box, size.Height, size.Width);
        }).QuickCheckThrowOnFailure();
    }

    [Test]
    public void Box_that_fits_at_once_has_the_area_and_ratio_that_were_drawn()
    {
        var uniforms = new float[RandomResizedCrop.BoxUniforms];
        (uniforms[0], uniforms[1], uniforms[2], uniforms[3]) = (0.25f, 0.5f, 0f, 0.999999f);
        var box = RandomResizedCrop.Box(1000, 1000, 0.2, 1, ThreeToFour, FourToThree, uniforms);
        // area 10^6 (0.2 + 0.25 * 0.8), ratio exp(0) = 1
        Assert.That(box, Is.EqualTo(new Box(0, 1000 - 632, 632, 632)));
    }

    [Test]
    public void View_is_the_flipped_box([Values(0f, 0.5f)] float flip)
    {
        using var image = Pictures.Noise(37, 53, seed: 5);
        var settings = new TransformSettings { Height = 20, Width = 28 };
        var uniforms = new float[23];
        Ops.RandomUniform(uniforms, 0, sample: 3, RandomStream.Crop, epoch: 0, seed: 1);
        uniforms[22] = flip;
        var pixels = new byte[3 * 20 * 28];
        settings.Create().Apply(image, uniforms, pixels);

        var box = RandomResizedCrop.Box(37, 53, 0.2, 1, ThreeToFour, FourToThree, uniforms);
        using var expected = image.ResizedCrop(box, 20, 28, Interpolation.Bicubic);
        Assert.That(pixels, Is.EqualTo(Pictures.Mirrored(expected, flip < 0.5f)));
    }

    public sealed record Recorded(int Height, int Width, double ScaleMin, double ScaleMax, double RatioMin, double RatioMax,
                                  Box Box, float[] Uniforms)
    {
        public override string ToString() => $"{Height} x {Width}, scale {ScaleMin}, ratio {RatioMin:F2}";
    }
}
