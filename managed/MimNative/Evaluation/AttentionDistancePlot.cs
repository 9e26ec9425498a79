using MimNative.Runtime;

namespace MimNative.Evaluation;

/// <summary>Mean attention distances, layer by layer: a point for each head, a line for their mean, and a grey one for equal weights.</summary>
public static class AttentionDistancePlot
{
    /// <summary>The plot of encoder and decoder beside each other.</summary>
    public static Image Draw(IReadOnlyList<AttentionDistance> layers, string title)
    {
        ArgumentNullException.ThrowIfNull(layers);
        ArgumentNullException.ThrowIfNull(title);
        var ticks = layers.Select((layer, i) => new PlotTick(i, $"{layer.Layer[0]}{layer.Layer[(layer.Layer.IndexOf('.', StringComparison.Ordinal) + 1)..]}"));
        var highest = layers.Max(layer => Math.Max(layer.Uniform, layer.Heads.Where(double.IsFinite).DefaultIfEmpty(0).Max()));
        var frame = new PlotFrame(title, (-0.5, layers.Count - 0.5), (0, Math.Max(1, 1.04 * highest)), [.. ticks])
        {
            XTitle = "layer (e: encoder, d: decoder), distances in pixels",
        };
        return LinePlot.Draw(frame,
        [
            new PlotLine("equal weights", [.. Parts(layers, layer => layer.Uniform)], PlotColour.Faint) { Thickness = 1 },
            new PlotLine("heads", [.. layers.SelectMany((layer, i) => layer.Heads.Select(head => ((double)i, head)))], PlotColour.Of(0))
            {
                Thickness = 0,
                HasMarks = true,
            },
            new PlotLine("mean of heads", [.. Parts(layers, layer => layer.Mean)], PlotColour.Of(1)) { HasMarks = true },
        ]);
    }

    // With a gap between encoder and decoder.
    private static IEnumerable<(double X, double Y)> Parts(IReadOnlyList<AttentionDistance> layers, Func<AttentionDistance, double> value)
    {
        for (var i = 0; i < layers.Count; i++)
        {
            if (i > 0 && AttentionProbe.IsDecoder(layers[i].Layer) != AttentionProbe.IsDecoder(layers[i - 1].Layer))
            {
                yield return (i, double.NaN);
            }
            yield return (i, value(layers[i]));
        }
    }
}
