using System.Globalization;
using MimNative.Recipes;
using MimNative.Runtime;
using MimNative.Targets;

namespace MimNative.Evaluation.Verification;

/// <summary>PixMIM's targets: images behind the low-pass filter, for several bandwidths.</summary>
internal static class PixMimCase
{
    private const string Prefix = "target/r";

    public static void CheckTargets(RecordedCase recorded, Comparisons compare, Step step)
    {
        float[] mean = [.. PerChannel(recorded, "mean")], std = [.. PerChannel(recorded, "std")];
        var shape = recorded.Shape(recorded.Has("imgs") ? "imgs" : "imgs_u8", 4);
        foreach (var radius in recorded.Below(Prefix))
        {
            step.Begin();
            var images = recorded.Has("imgs")
                ? recorded.Load("imgs", step)
                : step.FromHost<float>(Normalized(recorded.Bytes("imgs_u8"), shape, mean, std), shape);
            var bandwidth = double.Parse(radius.Replace('p', '.'), CultureInfo.InvariantCulture);
            var target = new LowPassPixels(new RawPixels(), bandwidth, LowPassMode.Exact, mean, std).Of(images, step);
            compare.Norm(Prefix + radius, step.ToArray<float>(target), recorded.Floats(Prefix + radius), Tolerance.Output);
        }
    }

    /// <summary>A setting with a number per channel; the published recipes' where the file does not say.</summary>
    public static IEnumerable<float> PerChannel(RecordedCase recorded, string key) => recorded.Settings.Contains(key)
        ? recorded.Json(key).EnumerateArray().Select(v => v.GetSingle())
        : (key == "mean" ? new ImageRecipe().Mean : new ImageRecipe().Std).Select(v => (float)v);

    private static float[] Normalized(byte[] pixels, ReadOnlySpan<long> shape, float[] mean, float[] std)
    {
        var values = new float[pixels.Length];
        var plane = shape[2] * shape[3];
        for (var i = 0; i < values.Length; i++)
        {
            var channel = i / plane % shape[1];
            values[i] = ((pixels[i] / 255f) - mean[channel]) / std[channel];
        }
        return values;
    }
}
