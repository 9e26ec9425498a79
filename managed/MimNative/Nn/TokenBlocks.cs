namespace MimNative.Nn;

/// <summary>The tokens of a grid in the order of its 2 x 2 blocks, row-major over the blocks.</summary>
/// <param name="Rows">Rows of the grid, even.</param>
/// <param name="Columns">Columns of the grid, even.</param>
/// <param name="ColumnsOutside">Whether a block goes down its first column first, as Swin's patch merging does.</param>
internal readonly record struct TokenBlocks(int Rows, int Columns, bool ColumnsOutside)
{
    /// <summary>Token numbers, row-major over the grid: (L).</summary>
    public int[] Order()
    {
        var order = new int[Rows * Columns];
        for (var i = 0; i < order.Length; i++)
        {
            int block = i / 4, first = i % 4 / 2, second = i % 2;
            var (down, right) = ColumnsOutside ? (second, first) : (first, second);
            order[i] = (((block / (Columns / 2) * 2) + down) * Columns) + (block % (Columns / 2) * 2) + right;
        }
        return order;
    }
}
