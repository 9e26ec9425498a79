using MimNative.Runtime;

namespace MimNative.Evaluation;

/// <summary>What an ideal low pass makes of a picture.</summary>
/// <param name="Radius">Its bandwidth in frequency bins.</param>
/// <param name="Target">The filtered picture (3, H, W), pixels of [0, 1], not clamped: ringing may leave the range.</param>
/// <param name="KeptBins">Bins that pass.</param>
/// <param name="Energy">Their share of the picture's energy.</param>
/// <param name="Contrast">The same without frequency 0, the mean brightness, which outweighs all others; NaN for a picture of one colour.</param>
/// <param name="MeanDifference">Mean of |picture - target| over pixels and channels.</param>
/// <param name="LargestDifference">Its largest value.</param>
public sealed record LowPassResult(
    double Radius, float[] Target, int KeptBins, double Energy, double Contrast, double MeanDifference, double LargestDifference);

/// <summary>PixMIM's target (Liu et al. 2023, section 4.1) of one picture for several bandwidths, made by the op that training uses.</summary>
public sealed class LowPassStudy
{
    private LowPassStudy(Image picture, Spectrum spectrum, LowPassMode mode, IReadOnlyList<LowPassResult> results) =>
        (Picture, Spectrum, Mode, Results) = (picture, spectrum, mode, results);

    /// <summary>The picture; the caller's.</summary>
    public Image Picture { get; }

    /// <summary>Its spectrum.</summary>
    public Spectrum Spectrum { get; }

    /// <summary>Which frequencies pass.</summary>
    public LowPassMode Mode { get; }

    /// <summary>One for each radius.</summary>
    public IReadOnlyList<LowPassResult> Results { get; }

    /// <summary>Filters a picture.</summary>
    public static LowPassStudy Of(Image picture, IReadOnlyList<double> radii, LowPassMode mode, Context context)
    {
        ArgumentNullException.ThrowIfNull(picture);
        ArgumentNullException.ThrowIfNull(radii);
        var (height, width) = (picture.Height, picture.Width);
        var values = new float[3 * height * width];
        picture.Normalize(values, [0, 0, 0], [1, 1, 1]);
        var spectrum = Spectrum.Of(picture);
        using var step = new Step(context);
        Tensor Filtered(double radius) => Ops.LowPass(
            step.FromHost<float>(values, 1, 3, height, width), step.FromHost<float>([0, 0, 0], 3), step.FromHost<float>([1, 1, 1], 3),
            (float)radius, mode, step);
        step.Plan(_ => Filtered(radii.Max()));
        var results = new List<LowPassResult>();
        foreach (var radius in radii)
        {
            step.Begin();
            var target = step.ToArray<float>(Filtered(radius));
            results.Add(Measure(values, target, spectrum, radius, mode));
        }
        return new LowPassStudy(picture, spectrum, mode, results);
    }

    private static LowPassResult Measure(float[] values, float[] target, Spectrum spectrum, double radius, LowPassMode mode)
    {
        var bins = 0;
        double kept = 0, all = 0;
        for (var i = 0; i < spectrum.Height * spectrum.Width; i++)
        {
            int k = i / spectrum.Width, l = i % spectrum.Width;
            var passes = spectrum.Keeps(k, l, radius, mode);
            bins += passes ? 1 : 0;
            kept += passes ? spectrum[k, l] : 0;
            all += spectrum[k, l];
        }
        var mean = spectrum[0, 0];
        var keptMean = spectrum.Keeps(0, 0, radius, mode) ? mean : 0;
        // What is left of rounding is no contrast.
        var contrast = all - mean > 1e-12 * all ? Math.Clamp((kept - keptMean) / (all - mean), 0, 1) : double.NaN;
        double sum = 0, largest = 0;
        for (var i = 0; i < values.Length; i++)
        {
            var difference = Math.Abs((double)values[i] - target[i]);
            sum += difference;
            largest = Math.Max(largest, difference);
        }
        return new LowPassResult(radius, target, bins, all > 0 ? kept / all : double.NaN, contrast, sum / values.Length, largest);
    }
}
