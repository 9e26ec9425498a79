using MimNative.Runtime;

namespace MimNative.Nn;

/// <summary>The fixed two-dimensional sine-cosine position table (MAE, section A.1, after Vaswani et al. 2017).</summary>
public static class SinCosPosition
{
    /// <summary>
    /// The table, row-major over the grid: D = 4 n channels [sin(col w), cos(col w), sin(row w), cos(row w)], w_k = 10000^(-k/n).
    /// Computed in double. With a class token, row 0 is zero. mmselfsup's tables have the row first (rowFirst).
    /// </summary>
    /// <returns>((1 +) height * width, dim) values.</returns>
    public static float[] Table(int height, int width, int dim, bool classToken, bool rowFirst = false)
    {
        if (dim % 4 != 0)
        {
            throw new ArgumentException($"the sine-cosine position table needs channels divisible by 4, got {dim}", nameof(dim));
        }
        var extra = classToken ? 1 : 0;
        var n = dim / 4;
        var table = new float[(extra + height * width) * dim];
        for (var row = 0; row < height; row++)
        {
            for (var column = 0; column < width; column++)
            {
                var token = table.AsSpan((extra + row * width + column) * dim, dim);
                var (first, second) = rowFirst ? (row, column) : (column, row);
                for (var k = 0; k < n; k++)
                {
                    var frequency = 1.0 / Math.Pow(10000.0, (double)k / n);
                    token[k] = (float)Math.Sin(first * frequency);
                    token[n + k] = (float)Math.Cos(first * frequency);
                    token[2 * n + k] = (float)Math.Sin(second * frequency);
                    token[3 * n + k] = (float)Math.Cos(second * frequency);
                }
            }
        }
        return table;
    }

    /// <summary>The table as a fixed parameter (1, E + L, D), as upstream's checkpoints have it.</summary>
    internal static Parameter Register(ParameterScope scope, string name, PatchGrid grid, int dim, bool classToken) =>
        scope.Add(
            name,
            new Initializer.Table(Table(grid.Rows, grid.Columns, dim, classToken)),
            trainable: false,
            1, grid.Count + (classToken ? 1 : 0), dim);
}
