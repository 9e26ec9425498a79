namespace MimNative.Evaluation;

/// <summary>
/// Mean attention distance (Dosovitskiy et al. 2021, appendix D.7; LoMaR's motivation): the mean over queries of
/// sum_k a(q, k) distance(q, k), with distances between the centres of patches in pixels. Class tokens stand nowhere: they are left out as
/// queries and as keys, and the weights of the other keys are made 1 in sum again.
/// </summary>
public sealed class AttentionDistance
{
    private readonly double[] _sums;
    private double _uniform;
    private long _queries;

    private AttentionDistance(string layer, int heads) => (Layer, _sums) = (layer, new double[heads]);

    /// <summary>The layer.</summary>
    public string Layer { get; }

    /// <summary>The mean of each head over all images seen so far.</summary>
    public IReadOnlyList<double> Heads => [.. _sums.Select(sum => sum / _queries)];

    /// <summary>Their mean.</summary>
    public double Mean => Heads.Average();

    /// <summary>What equal weights for all patches of a sequence would have: an attention that looks everywhere.</summary>
    public double Uniform => _uniform / _queries;

    /// <summary>Nothing seen yet.</summary>
    public static AttentionDistance Of(AttentionLayer layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        return new AttentionDistance(layer.Name, layer.Heads);
    }

    /// <summary>Takes in the layer for one more image of so many pixels.</summary>
    public void Add(AttentionLayer layer, int height, int width)
    {
        ArgumentNullException.ThrowIfNull(layer);
        double down = (double)height / layer.Rows, across = (double)width / layer.Columns;
        var first = layer.HasClassToken ? 1 : 0;
        double Pixels(int sequence, int a, int b)
        {
            int from = layer.PatchOf(sequence, a), to = layer.PatchOf(sequence, b);
            double dy = ((from / layer.Columns) - (to / layer.Columns)) * down, dx = ((from % layer.Columns) - (to % layer.Columns)) * across;
            return Math.Sqrt((dy * dy) + (dx * dx));
        }
        for (var sequence = 0; sequence < layer.Sequences; sequence++)
        {
            var distances = new double[layer.Tokens * layer.Tokens];
            for (var i = 0; i < distances.Length; i++)
            {
                int a = i / layer.Tokens, b = i % layer.Tokens;
                distances[i] = a < first || b < first ? 0 : Pixels(sequence, a, b);
            }
            var s = sequence;
            Parallel.For(0, layer.Heads, head => _sums[head] += Sum(layer, s, head, first, distances));
            _uniform += distances.Sum() / (layer.Tokens - first);
        }
        _queries += (long)layer.Sequences * (layer.Tokens - first);
    }

    private static double Sum(AttentionLayer layer, int sequence, int head, int first, double[] distances)
    {
        var weights = new double[layer.Tokens];
        double sum = 0;
        for (var query = first; query < layer.Tokens; query++)
        {
            layer.Weights(sequence, head, query, weights);
            double weighted = 0, all = 0;
            for (var key = first; key < weights.Length; key++)
            {
                weighted += weights[key] * distances[(query * layer.Tokens) + key];
                all += weights[key];
            }
            sum += weighted / Math.Max(all, double.Epsilon);
        }
        return sum;
    }
}
