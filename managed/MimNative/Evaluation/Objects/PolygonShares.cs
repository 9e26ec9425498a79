using MimNative.Runtime;

namespace MimNative.Evaluation.Objects;

/// <summary>
/// How much of each pixel lies in at least one of some polygons: on 16 lines through each row of pixels it is exact, by the even-odd rule.
/// </summary>
internal static class PolygonShares
{
    private const int Lines = 16;

    /// <summary>The shares (place.Height, place.Width) of the pixels of a part of a picture.</summary>
    /// <param name="polygons">x, y, x, y, ... each.</param>
    /// <param name="place">The part of the picture.</param>
    public static float[] Of(double[][] polygons, Box place)
    {
        var shares = new float[place.Height * place.Width];
        var crossings = new List<double>();
        var spans = new List<(double From, double To)>();
        for (var line = 0; line < place.Height * Lines; line++)
        {
            var y = place.Top + ((line + 0.5) / Lines);
            spans.Clear();
            foreach (var polygon in polygons)
            {
                crossings.Clear();
                Cross(polygon, y, crossings);
                crossings.Sort();
                for (var i = 0; i + 1 < crossings.Count; i += 2)
                {
                    spans.Add((crossings[i] - place.Left, crossings[i + 1] - place.Left));
                }
            }
            spans.Sort();
            var row = shares.AsSpan(line / Lines * place.Width, place.Width);
            double done = 0;  // what lies in two polygons counts once
            foreach (var (from, to) in spans)
            {
                if (to > done)
                {
                    Add(row, Math.Max(from, done), Math.Min(to, place.Width));
                    done = to;
                }
            }
        }
        return shares;
    }

    private static void Cross(double[] polygon, double y, List<double> crossings)
    {
        for (int i = 0, before = polygon.Length - 2; i < polygon.Length; before = i, i += 2)
        {
            double y0 = polygon[before + 1], y1 = polygon[i + 1];
            if ((y0 <= y) != (y1 <= y))
            {
                crossings.Add(polygon[before] + ((y - y0) / (y1 - y0) * (polygon[i] - polygon[before])));
            }
        }
    }

    private static void Add(Span<float> row, double from, double to)
    {
        for (var x = (int)from; x < to; x++)
        {
            row[x] += (float)((Math.Min(to, x + 1) - Math.Max(from, x)) / Lines);
        }
    }
}
