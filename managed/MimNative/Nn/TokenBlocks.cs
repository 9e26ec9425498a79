namespace MimNative.Nn;

/// <summary>The tokens of a grid in the order of its square blocks, row-major over the blocks.</summary>
/// <param name="Rows">Rows of the grid, a multiple of the side.</param>
/// <param name="Columns">Columns of the grid, a multiple of the side.</param>
/// <param name="Side">Side of a block in tokens.</param>
/// <param name="ColumnsOutside">Whether a block goes down its first column first, as Swin's patch merging does.</param>
internal readonly record struct TokenBlocks(int Rows, int Columns, int Side, bool ColumnsOutside)
{
    /// <summary>Token numbers, row-major over the grid: (L).</summary>
    public int[] Order()
    {
        var order = new int[Rows * Columns];
        for (var i = 0; i < order.Length; i++)
        {
            int block = i / (Side * Side), first = i % (Side * Side) / Side, second = i % Side;
            var (down, right) = ColumnsOutside ? (second, first) : (first, second);
            order[i] = (((block / (Columns / Side) * Side) + down) * Columns) + (block % (Columns / Side) * Side) + right;
        }
        return order;
    }

    /// <summary>Where each token of the grid lies in that order: (L).</summary>
    public int[] Places()
    {
        var order = Order();
        var places = new int[order.Length];
        for (var i = 0; i < order.Length; i++)
        {
            places[order[i]] = i;
        }
        return places;
    }
}
