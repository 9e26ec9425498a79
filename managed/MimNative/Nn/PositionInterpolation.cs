namespace MimNative.Nn;

/// <summary>
/// Position tables for another grid: bicubic interpolation (a = -0.75) with half-pixel centres, coordinates clamped at the border, not
/// antialiased even where the grid shrinks, as upstream loads its weights at another image size.
/// </summary>
public static class PositionInterpolation
{
    private const double A = -0.75;

    /// <summary>The table of a new grid; the class token's row, which comes first, is copied.</summary>
    /// <param name="table">((1 +) rows * columns, dim) values.</param>
    /// <param name="from">The table's grid.</param>
    /// <param name="to">The new grid.</param>
    /// <param name="dim">Channels.</param>
    /// <param name="classToken">Whether row 0 is the class token's.</param>
    public static float[] Resample(
        ReadOnlySpan<float> table, (int Rows, int Columns) from, (int Rows, int Columns) to, int dim, bool classToken)
    {
        var extra = classToken ? dim : 0;
        if (table.Length != extra + (from.Rows * from.Columns * dim))
        {
            throw new ArgumentException(
                $"the table has {table.Length} values, a grid of {from.Rows} x {from.Columns} with {dim} channels expects " +
                $"{extra + (from.Rows * from.Columns * dim)}");
        }
        var result = new float[extra + (to.Rows * to.Columns * dim)];
        table[..extra].CopyTo(result);
        var grid = table[extra..];
        for (var row = 0; row < to.Rows; row++)
        {
            var (top, down) = Taps(row, from.Rows, to.Rows);
            for (var column = 0; column < to.Columns; column++)
            {
                var (left, across) = Taps(column, from.Columns, to.Columns);
                var to0 = extra + (((row * to.Columns) + column) * dim);
                for (var c = 0; c < dim; c++)
                {
                    double sum = 0;
                    for (var i = 0; i < 4; i++)
                    {
                        var y = Math.Clamp(top + i, 0, from.Rows - 1);
                        for (var j = 0; j < 4; j++)
                        {
                            var x = Math.Clamp(left + j, 0, from.Columns - 1);
                            sum += down[i] * across[j] * grid[(((y * from.Columns) + x) * dim) + c];
                        }
                    }
                    result[to0 + c] = (float)sum;
                }
            }
        }
        return result;
    }

    // The first of four neighbours of a new place, and their weights.
    private static (int First, double[] Weights) Taps(int place, int from, int to)
    {
        var centre = ((place + 0.5) * from / to) - 0.5;
        var first = (int)Math.Floor(centre) - 1;
        var weights = new double[4];
        for (var i = 0; i < 4; i++)
        {
            weights[i] = Cubic(Math.Abs(centre - (first + i)));
        }
        return (first, weights);
    }

    private static double Cubic(double x) => x switch
    {
        <= 1 => ((((A + 2) * x) - (A + 3)) * x * x) + 1,
        < 2 => ((((A * x) - (5 * A)) * x + (8 * A)) * x) - (4 * A),
        _ => 0,
    };
}
