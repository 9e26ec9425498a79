namespace MimNative.Nn;

/// <summary>
/// Swin's windows (Liu et al. 2021, section 3.2) of a grid of tokens: which tokens attend to each other. Attention reads and writes
/// tokens in this order, so nothing is moved.
/// </summary>
/// <param name="Rows">Rows of the grid.</param>
/// <param name="Columns">Columns of the grid.</param>
/// <param name="Window">Side of a window; divides both.</param>
/// <param name="Shift">Tokens by which the windows are moved down and right, cyclically; 0 for the regular partition.</param>
public readonly record struct WindowPartition(int Rows, int Columns, int Window, int Shift)
{
    // Upstream's: enough that exp() of a score with it vanishes beside the others.
    private const float Masked = -100;

    /// <summary>Windows of the grid.</summary>
    public int Count => Rows / Window * (Columns / Window);

    /// <summary>Tokens of a window.</summary>
    public int Size => Window * Window;

    /// <summary>
    /// The partition of a block: odd blocks are shifted by half a window. Where the grid's smaller side is not above the window, the window
    /// is clamped to it and nothing is shifted, as upstream has it.
    /// </summary>
    public static WindowPartition OfBlock(int rows, int columns, int window, int block)
    {
        var side = Math.Min(rows, columns);
        var partition = side <= window
            ? new WindowPartition(rows, columns, side, 0)
            : new WindowPartition(rows, columns, window, block % 2 == 0 ? 0 : window / 2);
        return rows % partition.Window == 0 && columns % partition.Window == 0
            ? partition
            : throw new ArgumentException($"windows of {partition.Window} tokens do not tile a grid of {rows} x {columns}");
    }

    /// <summary>The tokens of each window: (Count, Size), numbers row-major over the grid.</summary>
    public int[] Tokens()
    {
        var tokens = new int[Count * Size];
        for (var i = 0; i < tokens.Length; i++)
        {
            var (row, column) = Place(i);
            tokens[i] = ((row + Shift) % Rows * Columns) + ((column + Shift) % Columns);
        }
        return tokens;
    }

    /// <summary>
    /// What is added to the scores: (Count, Size, Size), -100 between tokens that are neighbours only because the shift is cyclic.
    /// Empty without a shift.
    /// </summary>
    public float[] Mask()
    {
        if (Shift == 0)
        {
            return [];
        }
        var mask = new float[Count * Size * Size];
        for (var i = 0; i < mask.Length; i++)
        {
            var first = i / (Size * Size) * Size;
            mask[i] = Region(first + (i / Size % Size)) == Region(first + (i % Size)) ? 0 : Masked;
        }
        return mask;
    }

    // Where entry i of the windows lies in the rolled grid.
    private (int Row, int Column) Place(int i)
    {
        int window = i / Size, inside = i % Size, across = Columns / Window;
        return ((window / across * Window) + (inside / Window), (window % across * Window) + (inside % Window));
    }

    // One of nine parts of the rolled grid that were together before the roll.
    private int Region(int i)
    {
        var (row, column) = Place(i);
        return (3 * Slice(row, Rows)) + Slice(column, Columns);
    }

    private int Slice(int at, int side) => at < side - Window ? 0 : at < side - Shift ? 1 : 2;
}
