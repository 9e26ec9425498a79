namespace MimNative.Evaluation.Benchmarks;

/// <summary>What a few measurements of the same thing say together.</summary>
/// <param name="Median">The middle one.</param>
/// <param name="Lower">A quarter of them is below.</param>
/// <param name="Upper">A quarter of them is above.</param>
/// <param name="Least">The smallest.</param>
/// <param name="Most">The largest.</param>
public readonly record struct Spread(double Median, double Lower, double Upper, double Least, double Most)
{
    /// <summary>Of at least one number; quantiles between two numbers are interpolated.</summary>
    public static Spread Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        if (sorted.Length == 0)
        {
            throw new ArgumentException("there is nothing to take the median of", nameof(values));
        }
        return new Spread(Quantile(sorted, 0.5), Quantile(sorted, 0.25), Quantile(sorted, 0.75), sorted[0], sorted[^1]);
    }

    /// <summary>Of the ratios over / under of measurements that were made in pairs, one after the other.</summary>
    public static Spread OfRatios(IReadOnlyList<double> over, IReadOnlyList<double> under)
    {
        ArgumentNullException.ThrowIfNull(over);
        ArgumentNullException.ThrowIfNull(under);
        return over.Count == under.Count
            ? Of(over.Zip(under, (a, b) => a / b))
            : throw new ArgumentException($"{over.Count} measurements cannot be paired with {under.Count}");
    }

    private static double Quantile(double[] sorted, double share)
    {
        var place = share * (sorted.Length - 1);
        var below = (int)place;
        var above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + ((place - below) * (sorted[above] - sorted[below]));
    }
}
