using MimNative.Nn;
using MimNative.Runtime;

namespace MimNative.Evaluation;

/// <summary>
/// Mean and unbiased variance of each patch: what a model trained on normalised patches does not predict, and a picture of its
/// predictions needs.
/// </summary>
/// <param name="Mean">Mean of each patch.</param>
/// <param name="Variance">Unbiased variance of each patch.</param>
public sealed record PatchStatistics(float[] Mean, float[] Variance)
{
    /// <summary>The statistics of patches of <paramref name="size"/> numbers each, one behind the other.</summary>
    public static PatchStatistics Of(ReadOnlySpan<float> patches, int size)
    {
        var count = patches.Length / size;
        float[] means = new float[count], variances = new float[count];
        for (var i = 0; i < count; i++)
        {
            var patch = patches.Slice(i * size, size);
            double sum = 0, squares = 0;
            foreach (var value in patch)
            {
                sum += value;
            }
            var mean = sum / size;
            foreach (var value in patch)
            {
                squares += (value - mean) * (value - mean);
            }
            (means[i], variances[i]) = ((float)mean, (float)(squares / (size - 1)));
        }
        return new PatchStatistics(means, variances);
    }

    /// <summary>
    /// The same statistics where they can be seen, and for each removed patch the average over the visible patches nearest to it:
    /// what can be known without looking at what was removed.
    /// </summary>
    public PatchStatistics FromVisible(PatchGrid grid, ReadOnlySpan<bool> removed)
    {
        float[] means = [.. Mean], variances = [.. Variance];
        for (var patch = 0; patch < removed.Length; patch++)
        {
            if (removed[patch])
            {
                (means[patch], variances[patch]) = NearestVisible(grid, removed, patch);
            }
        }
        return new PatchStatistics(means, variances);
    }

    /// <summary>(t - mean) / sqrt(variance + 1e-6), patch by patch.</summary>
    public float[] Normalize(ReadOnlySpan<float> patches) =>
        Map(patches, (t, mean, deviation) => (t - mean) / deviation);

    /// <summary>Pixels from normalised predictions: t * sqrt(variance + 1e-6) + mean, patch by patch.</summary>
    public float[] Denormalize(ReadOnlySpan<float> patches) =>
        Map(patches, (t, mean, deviation) => (t * deviation) + mean);

    // Rings of growing Chebyshev distance around the patch, until one holds a visible patch.
    private (float Mean, float Variance) NearestVisible(PatchGrid grid, ReadOnlySpan<bool> removed, int patch)
    {
        int row = patch / grid.Columns, column = patch % grid.Columns;
        for (var distance = 1; distance < Math.Max(grid.Rows, grid.Columns); distance++)
        {
            double mean = 0, variance = 0;
            var count = 0;
            for (var r = Math.Max(0, row - distance); r <= Math.Min(grid.Rows - 1, row + distance); r++)
            {
                for (var c = Math.Max(0, column - distance); c <= Math.Min(grid.Columns - 1, column + distance); c++)
                {
                    var other = (r * grid.Columns) + c;
                    var onRing = Math.Max(Math.Abs(r - row), Math.Abs(c - column)) == distance;
                    if (onRing && !removed[other])
                    {
                        mean += Mean[other];
                        variance += Variance[other];
                        count++;
                    }
                }
            }
            if (count > 0)
            {
                return ((float)(mean / count), (float)(variance / count));
            }
        }
        return (0, 1);  // nothing is visible: the average of the data
    }

    private float[] Map(ReadOnlySpan<float> patches, Func<double, double, double, double> value)
    {
        var size = patches.Length / Mean.Length;
        var result = new float[patches.Length];
        for (var i = 0; i < result.Length; i++)
        {
            var deviation = Math.Sqrt(Variance[i / size] + MaskedLossSettings.NormalizeEps);
            result[i] = (float)value(patches[i], Mean[i / size], deviation);
        }
        return result;
    }
}
