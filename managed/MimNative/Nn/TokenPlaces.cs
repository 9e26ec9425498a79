using MimNative.Runtime;

namespace MimNative.Nn;

/// <summary>
/// Where the tokens of a sequence stand in their image. Nothing is computed from it: it is for those who look at tokens afterwards.
/// <c>default</c> says nothing.
/// </summary>
/// <param name="Rows">Rows of the grid of patches that the tokens stand for.</param>
/// <param name="Columns">Its columns.</param>
/// <param name="ClassToken">Whether a class token comes first, which stands nowhere.</param>
/// <param name="Ids">(R, T) i32: the patch of each token behind the class token; absent where they are all patches, row-major.</param>
public readonly record struct TokenPlaces(int Rows, int Columns, bool ClassToken, Tensor Ids = default)
{
    /// <summary>All patches of a grid.</summary>
    public static TokenPlaces Of(PatchGrid grid, bool classToken) => new(grid.Rows, grid.Columns, classToken);

    /// <summary>Whether anything is said.</summary>
    public bool AreKnown => Rows > 0;
}
