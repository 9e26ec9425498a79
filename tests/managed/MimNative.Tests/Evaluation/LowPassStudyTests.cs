using System.Globalization;
using System.Text.Json;
using MimNative.Evaluation;
using MimNative.Runtime;
using MimNative.Tests.Data;
using NUnit.Framework;

namespace MimNative.Tests.Evaluation;

public sealed class LowPassStudyTests
{
    [TestCase(16, 24)]
    [TestCase(15, 21)]
    public void A_spectrum_has_the_energy_of_its_picture(int height, int width)
    {
        using var picture = Pictures.Noise(height, width, seed: 3);
        var spectrum = Spectrum.Of(picture);
        double power = 0, squares = 0;
        for (var i = 0; i < height * width; i++)
        {
            power += spectrum[i / width, i % width];
        }
        foreach (var pixel in picture.Pixels)
        {
            squares += pixel / 255.0 * (pixel / 255.0);
        }
        Assert.That(power, Is.EqualTo(height * width * squares).Within(1e-9).Percent);
    }

    // black and white in turns: frequency 0 and the highest one, half of the pixels each
    [Test]
    public void A_chessboard_has_two_frequencies()
    {
        using var picture = Image.Create(6, 8);
        for (var i = 0; i < 48; i++)
        {
            picture.Pixels.Slice(3 * i, 3).Fill((byte)(((i / 8) + (i % 8)) % 2 == 0 ? 255 : 0));
        }
        var spectrum = Spectrum.Of(picture);
        for (var i = 0; i < 48; i++)
        {
            var expected = (i / 8, i % 8) is (0, 0) or (3, 4) ? 3 * 24.0 * 24 : 0;
            Assert.That(spectrum[i / 8, i % 8], Is.EqualTo(expected).Within(1e-9), $"bin {i / 8}, {i % 8}");
        }
    }

    // The energy of the op's answer is that of the bins that the study says it keeps.
    [TestCase(16, 24, LowPassMode.Exact)]
    [TestCase(16, 24, LowPassMode.Symmetric)]
    [TestCase(15, 21, LowPassMode.Exact)]
    [TestCase(15, 21, LowPassMode.Symmetric)]
    public void A_target_holds_the_energy_that_is_told(int height, int width, LowPassMode mode)
    {
        using var context = new Context(Device.Cpu, threads: 1);
        using var picture = Pictures.Noise(height, width, seed: 4);
        var study = LowPassStudy.Of(picture, [0.8, 3, 5.5, 9], mode, context);
        double all = 0;
        for (var i = 0; i < height * width; i++)
        {
            all += study.Spectrum[i / width, i % width];
        }
        foreach (var result in study.Results)
        {
            var energy = height * width * result.Target.Sum(t => (double)t * t) / all;
            Assert.That(result.Energy, Is.EqualTo(energy).Within(1e-4).Percent, $"r {result.Radius}");
        }
        Assert.That(study.Results.Select(r => r.Energy), Is.Ordered);
        Assert.That(study.Results.Select(r => r.MeanDifference), Is.Ordered.Descending);
    }

    [TestCase("pixmim_target_48x72")]
    [TestCase("pixmim_target_odd_33x45")]
    public void The_bins_kept_are_the_recorded_ones(string name)
    {
        using var file = Golden.Open(name);
        int Size(string key) => int.Parse(file.Metadata[key], CultureInfo.InvariantCulture);
        int height = Size("height"), width = Size("width");
        using var picture = Image.Create(height, width);
        var spectrum = Spectrum.Of(picture);
        foreach (var radius in JsonSerializer.Deserialize<float[]>(file.Metadata["radii"])!)
        {
            var filter = file.ReadBytes($"filter/r{radius.ToString(CultureInfo.InvariantCulture)}").ToArray();  // frequency 0 in the middle
            for (var i = 0; i < height * width; i++)
            {
                int k = i / width, l = i % width;
                var kept = filter[((k + (height / 2)) % height * width) + ((l + (width / 2)) % width)] != 0;
                Assert.That(spectrum.Keeps(k, l, radius, LowPassMode.Exact), Is.EqualTo(kept), $"r {radius}, bin {k}, {l}");
            }
        }
    }

    [Test]
    public void A_radius_beyond_every_frequency_leaves_the_picture_as_it_is()
    {
        using var context = new Context(Device.Cpu, threads: 1);
        using var picture = Pictures.Noise(12, 20, seed: 5);
        var result = LowPassStudy.Of(picture, [100], LowPassMode.Exact, context).Results[0];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(result.KeptBins, Is.EqualTo(240));
            Assert.That(result.Energy, Is.EqualTo(1).Within(1e-12));
            Assert.That(result.LargestDifference, Is.LessThan(1e-5));
        }
    }

    [Test]
    public void A_picture_of_one_colour_has_no_contrast()
    {
        using var context = new Context(Device.Cpu, threads: 1);
        using var picture = Image.Create(8, 8);
        picture.Pixels.Fill(51);
        var result = LowPassStudy.Of(picture, [2], LowPassMode.Symmetric, context).Results[0];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(result.Contrast, Is.NaN);
            Assert.That(result.Energy, Is.EqualTo(1).Within(1e-9));
            Assert.That(result.Target, Has.All.EqualTo(0.2f).Within(1e-6));
        }
    }

    [Test]
    public void A_sheet_shows_targets_and_differences_with_the_gain_that_it_tells()
    {
        using var context = new Context(Device.Cpu, threads: 1);
        using var picture = Pictures.Noise(128, 128, seed: 6);
        var study = LowPassStudy.Of(picture, [20, 40], LowPassMode.Exact, context);
        using var sheet = LowPassSheet.Draw([study], gain: 2);
        const int title = 9, gap = 6, side = 128;   // a row: a line of text and a cell of the picture's size
        byte At(int row, int column, int pixel, int channel) => sheet.Pixels[
            ((((gap + (row * (title + side + gap)) + title + (pixel / side)) * sheet.Width) + gap + (column * (CellWidth + gap)) + (pixel % side)) * 3) + channel];
        var target = study.Results[1].Target;
        for (var pixel = 0; pixel < side * side; pixel += 97)
        {
            var filtered = target[pixel];
            var original = picture.Pixels[3 * pixel] / 255f;
            Assert.That(At(0, 0, pixel, 0), Is.EqualTo(picture.Pixels[3 * pixel]));
            Assert.That(At(0, 2, pixel, 0), Is.EqualTo(Math.Clamp(255 * filtered, 0, 255)).Within(0.6));
            Assert.That(At(2, 2, pixel, 0), Is.EqualTo(Math.Clamp(255 * 2 * Math.Abs(original - filtered), 0, 255)).Within(0.6));
        }
    }

    private const int CellWidth = 128;
}
