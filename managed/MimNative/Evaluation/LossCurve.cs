using MimNative.Runtime;

namespace MimNative.Evaluation;

/// <summary>A run's loss against its steps, as a picture: every step in grey, an average over a fiftieth of them in black.</summary>
public static class LossCurve
{
    private const int MostPoints = 610;  // as many as the plot has columns

    /// <summary>The picture of the losses of steps 1, 2, ...</summary>
    public static Image Draw(IReadOnlyList<float> losses, string title)
    {
        ArgumentNullException.ThrowIfNull(losses);
        ArgumentNullException.ThrowIfNull(title);
        ArgumentOutOfRangeException.ThrowIfZero(losses.Count, nameof(losses));
        var smooth = Smooth(losses, Math.Max(1, losses.Count / 50));
        // The first steps of a run are far above the rest; the scale is that of the averaged curve.
        double low = Math.Min(smooth.Min(), losses.Order().ElementAt(losses.Count / 100)), high = smooth.Max();
        if (!(high - low >= 1e-9) || !double.IsFinite(low) || !double.IsFinite(high))
        {
            (low, high) = PlotFrame.Around(losses.Select(loss => (double)loss));
        }
        var frame = new PlotFrame(
            title, (0, MostPoints - 1), (low, high), [new PlotTick(0, "step 1"), new PlotTick(MostPoints - 1, $"step {losses.Count}")]);
        return LinePlot.Draw(frame,
        [
            new PlotLine("", Points(losses), PlotColour.Faint) { Thickness = 1 },
            new PlotLine("", Points(smooth), PlotColour.Ink),
        ]);
    }

    private static float[] Smooth(IReadOnlyList<float> losses, int window)
    {
        var result = new float[losses.Count];
        double sum = 0;
        for (var i = 0; i < losses.Count; i++)
        {
            sum += losses[i] - (i >= window ? losses[i - window] : 0);
            result[i] = (float)(sum / Math.Min(i + 1, window));
        }
        return result;
    }

    private static (double X, double Y)[] Points(IReadOnlyList<float> values)
    {
        var points = new (double X, double Y)[MostPoints];
        for (var i = 0; i < MostPoints; i++)
        {
            points[i] = (i, values[(int)((long)i * (values.Count - 1) / (MostPoints - 1))]);
        }
        return points;
    }
}
