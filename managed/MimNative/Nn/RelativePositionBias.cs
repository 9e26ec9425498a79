using MimNative.Runtime;

namespace MimNative.Nn;

/// <summary>
/// A learned bias of the scores per head and offset between two tokens (Swin, equation 4; BEiT): rows of a table, picked by an index.
/// </summary>
public sealed class RelativePositionBias
{
    private readonly Parameter _table;

    /// <summary>A table (rows, heads).</summary>
    public RelativePositionBias(ParameterScope scope, int rows, int heads, Initializer init) =>
        _table = scope.Add("relative_position_bias_table", init, trainable: true, rows, heads);

    /// <summary>index: (T, T) i32; returns the bias (H, T, T).</summary>
    public Tensor Forward(Tensor index, Step step) => Ops.RelativePositionBias(_table.Value, index, step);

    /// <summary>Adds to the table's gradient.</summary>
    public void Backward(Tensor dbias, Tensor index, Step step) =>
        Ops.RelativePositionBiasBackward(dbias, index, _table.Grad, step);

    /// <summary>Rows that a table for a grid needs: one per offset, and three more with a class token.</summary>
    public static int Rows(int rows, int columns, bool classToken) =>
        (((2 * rows) - 1) * ((2 * columns) - 1)) + (classToken ? 3 : 0);

    /// <summary>
    /// The row of the table for each pair of tokens (query, key): (dr + rows - 1) (2 columns - 1) + dc + columns - 1 with the offset
    /// (dr, dc) = query minus key. A class token comes first; its pairs have the last three rows: class to token, token to class, class
    /// to class.
    /// </summary>
    /// <returns>(T T) numbers, T = (1 +) rows * columns.</returns>
    public static int[] Index(int rows, int columns, bool classToken)
    {
        var extra = classToken ? 1 : 0;
        var tokens = extra + (rows * columns);
        var last = Rows(rows, columns, classToken);
        var index = new int[tokens * tokens];
        for (var i = 0; i < tokens; i++)
        {
            for (var j = 0; j < tokens; j++)
            {
                int a = i - extra, b = j - extra;
                index[(i * tokens) + j] = (a, b) switch
                {
                    ( < 0, < 0) => last - 1,
                    ( < 0, _) => last - 3,
                    (_, < 0) => last - 2,
                    _ => (((a / columns) - (b / columns) + rows - 1) * ((2 * columns) - 1)) + (a % columns) - (b % columns) + columns - 1,
                };
            }
        }
        return index;
    }
}
