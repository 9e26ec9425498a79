using System.Globalization;
using MimNative.Runtime;

namespace MimNative.Evaluation;

/// <summary>
/// Low-pass targets side by side: the picture, its spectrum and for each bandwidth the bins that pass, the target, and the difference from
/// the picture.
/// </summary>
public static class LowPassSheet
{
    /// <summary>Decades of power that a spectrum shows; what lies further below the strongest bin is black.</summary>
    private const double Decades = 9;

    /// <summary>The sheet of pictures of one size and the same bandwidths.</summary>
    /// <param name="studies">One for each picture.</param>
    /// <param name="gain">What differences are multiplied with to be seen.</param>
    public static Image Draw(IReadOnlyList<LowPassStudy> studies, double gain)
    {
        ArgumentNullException.ThrowIfNull(studies);
        var rows = new List<IReadOnlyList<PictureCell>>();
        try
        {
            foreach (var study in studies)
            {
                rows.Add([new PictureCell(Copy(study.Picture), "picture"), .. study.Results.Select(r => Target(study, r))]);
                rows.Add([new PictureCell(Bins(study, null), "log power"), .. study.Results.Select(r => Kept(study, r))]);
                rows.Add([new PictureCell(null, ""), .. study.Results.Select(r => Difference(study, r, gain))]);
            }
            return PictureTable.Draw(
                rows, $"low pass, {(studies[0].Mode == LowPassMode.Exact ? "exact" : "symmetric")} disc, frequency 0 in the middle",
                Text($"differences x {gain:0.##}, contrast: energy without frequency 0"));
        }
        finally
        {
            rows.SelectMany(r => r).ToList().ForEach(cell => cell.Picture?.Dispose());
        }
    }

    private static PictureCell Target(LowPassStudy study, LowPassResult result)
    {
        var target = result.Target;
        return new PictureCell(Paint(study, (i, c) => 255 * target[(c * target.Length / 3) + i]), Text($"target r={result.Radius:0.##}"));
    }

    private static PictureCell Kept(LowPassStudy study, LowPassResult result) => new(
        Bins(study, result.Radius),
        double.IsNaN(result.Contrast) ? Text($"{result.KeptBins} bins") : Text($"{100 * result.Contrast:0.0}% contrast"));

    private static PictureCell Difference(LowPassStudy study, LowPassResult result, double gain)
    {
        int pixels = result.Target.Length / 3;
        var values = new float[3 * pixels];
        study.Picture.Normalize(values, [0, 0, 0], [1, 1, 1]);
        return new PictureCell(
            Paint(study, (i, c) => 255 * gain * Math.Abs(values[(c * pixels) + i] - result.Target[(c * pixels) + i])),
            Text($"mean difference {result.MeanDifference:0.000}"));
    }

    // The spectrum with frequency 0 in the middle; bins that do not pass are darkened and the edge of those that do is drawn.
    private static Image Bins(LowPassStudy study, double? radius)
    {
        var spectrum = study.Spectrum;
        int height = spectrum.Height, width = spectrum.Width;
        var strongest = double.Epsilon;
        for (var i = 0; i < height * width; i++)
        {
            strongest = Math.Max(strongest, spectrum[i / width, i % width]);
        }
        bool Passes(int y, int x) => radius is not { } r || spectrum.Keeps(Mod(y - (height / 2), height), Mod(x - (width / 2), width), r, study.Mode);
        return Paint(study, (i, c) =>
        {
            int y = i / width, x = i % width;
            var power = spectrum[Mod(y - (height / 2), height), Mod(x - (width / 2), width)] / strongest;
            var shade = 255 * (1 + (Math.Log10(Math.Max(power, 1e-300)) / Decades));
            if (Passes(y, x))
            {
                var isEdge = !Passes(Math.Max(0, y - 1), x) || !Passes(Math.Min(height - 1, y + 1), x) ||
                    !Passes(y, Math.Max(0, x - 1)) || !Passes(y, Math.Min(width - 1, x + 1));
                return isEdge ? (c == 0 ? 255 : 60) : shade;
            }
            return shade / 3;
        });
    }

    private static Image Copy(Image picture) => picture.Crop(picture.Box);

    private static Image Paint(LowPassStudy study, Func<int, int, double> value)
    {
        var image = Image.Create(study.Picture.Height, study.Picture.Width);
        var pixels = image.Pixels;
        for (var i = 0; i < pixels.Length; i++)
        {
            pixels[i] = (byte)Math.Clamp(Math.Round(value(i / 3, i % 3)), 0, 255);
        }
        return image;
    }

    private static int Mod(int value, int size) => (value + size) % size;

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
