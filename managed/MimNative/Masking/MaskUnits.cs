namespace MimNative.Masking;

/// <summary>
/// Squares of patches that are kept or removed together: LSMAE's masks are coarser than its patches (Hu et al. 2022, "decoupled" mask
/// and patch size). Squares at the right and lower edge are cut where the side does not divide the grid.
/// </summary>
public sealed class MaskUnits
{
    // The patches of each unit, column by column as upstream lists them: it decides which of a unit's patches are kept where the count of
    // kept patches ends within it.
    private readonly int[][] _patches;

    /// <summary>Squares of <paramref name="side"/> patches on a grid of rows x columns.</summary>
    public MaskUnits(int rows, int columns, int side)
    {
        if (rows < 1 || columns < 1 || side < 1)
        {
            throw new ArgumentException($"mask units of {side} x {side} patches on a grid of {rows} x {columns}, expected all at least 1");
        }
        (Patches, Side) = (rows * columns, side);
        int across = (columns + side - 1) / side, down = (rows + side - 1) / side;
        _patches = new int[down * across][];
        for (var unit = 0; unit < _patches.Length; unit++)
        {
            int top = unit / across * side, left = unit % across * side;
            _patches[unit] =
            [
                .. from column in Enumerable.Range(left, Math.Min(side, columns - left))
                   from row in Enumerable.Range(top, Math.Min(side, rows - top))
                   select (row * columns) + column,
            ];
        }
    }

    /// <summary>Units of an image.</summary>
    public int Count => _patches.Length;

    /// <summary>Patches of an image.</summary>
    public int Patches { get; }

    /// <summary>Side of a unit in patches.</summary>
    public int Side { get; }

    /// <summary>The patches of units in the given order, one unit after the other.</summary>
    public void Order(ReadOnlySpan<int> units, Span<int> patches)
    {
        var next = 0;
        foreach (var unit in units)
        {
            _patches[unit].CopyTo(patches[next..]);
            next += _patches[unit].Length;
        }
    }
}
