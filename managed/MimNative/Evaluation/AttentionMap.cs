namespace MimNative.Evaluation;

/// <summary>Where a query patch looks: the weight of every patch, of one head or of all heads in the mean.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Head">The head; null for the mean of all.</param>
/// <param name="Rows">Rows of the layer's grid.</param>
/// <param name="Columns">Its columns.</param>
/// <param name="Query">The query's patch on it.</param>
/// <param name="Weights">A weight for each patch; NaN where there is no token, because the patch is hidden or in no window of the query's.</param>
/// <param name="ClassWeight">The weight of the class token, 0 without one: all weights together are 1.</param>
public sealed record AttentionMap(
    string Layer, int? Head, int Rows, int Columns, int Query, IReadOnlyList<double> Weights, double ClassWeight)
{
    /// <summary>The map of a query patch of another grid: of the token that stands where the patch has its middle.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="head">The head; null for the mean of all.</param>
    /// <param name="row">The query's row.</param>
    /// <param name="column">The query's column.</param>
    /// <param name="rows">Rows of the grid that these count.</param>
    /// <param name="columns">Its columns.</param>
    /// <exception cref="ArgumentException">The patch has no token, or there is no such head.</exception>
    public static AttentionMap Of(AttentionLayer layer, int? head, int row, int column, int rows, int columns)
    {
        ArgumentNullException.ThrowIfNull(layer);
        if (head >= layer.Heads)
        {
            throw new ArgumentException($"there is no head {head} in {layer.Name}, expected {Range(layer)} or mean");
        }
        var query = (((2 * row) + 1) * layer.Rows / (2 * rows) * layer.Columns) + (((2 * column) + 1) * layer.Columns / (2 * columns));
        var (sequence, token) = layer.TokenAt(query) ?? throw new ArgumentException(
            $"the query patch {row},{column} is hidden from {layer.Name}, expected a visible one, or another --mask");
        var weights = new double[layer.Tokens];
        var sum = new double[layer.Tokens];
        int[] heads = head is { } one ? [one] : [.. Enumerable.Range(0, layer.Heads)];
        foreach (var h in heads)
        {
            layer.Weights(sequence, h, token, weights);
            for (var i = 0; i < sum.Length; i++)
            {
                sum[i] += weights[i] / heads.Length;
            }
        }
        var map = new double[layer.Rows * layer.Columns];
        Array.Fill(map, double.NaN);
        for (var i = layer.HasClassToken ? 1 : 0; i < sum.Length; i++)
        {
            map[layer.PatchOf(sequence, i)] = sum[i];
        }
        return new AttentionMap(layer.Name, head, layer.Rows, layer.Columns, query, map, layer.HasClassToken ? sum[0] : 0);
    }

    private static string Range(AttentionLayer layer) => layer.Heads == 1 ? "0" : $"0 to {layer.Heads - 1}";
}
