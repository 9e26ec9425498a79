using System.Globalization;

namespace MimNative.Evaluation;

/// <summary>A place of an axis and what is written there.</summary>
public readonly record struct PlotTick(double At, string Label)
{
    /// <summary>Round numbers inside a range, about as many as asked for: multiples of 1, 2 or 5 times a power of ten.</summary>
    public static IReadOnlyList<PlotTick> Round(double low, double high, int count)
    {
        var rough = (high - low) / Math.Max(1, count);
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        var step = power * (rough / power) switch { < 1.5 => 1, < 3 => 2, < 7 => 5, _ => 10 };
        var digits = Math.Clamp((int)-Math.Floor(Math.Log10(step) + 1e-9), 0, 8);
        var ticks = new List<PlotTick>();
        for (var i = Math.Ceiling((low / step) - 1e-9); i * step <= high + (1e-9 * step); i++)
        {
            var at = (i * step) + 0.0;  // no -0
            ticks.Add(new PlotTick(at, at.ToString($"F{digits}", CultureInfo.InvariantCulture)));
        }
        return ticks;
    }
}
