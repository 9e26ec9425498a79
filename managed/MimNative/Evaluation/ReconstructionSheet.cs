using MimNative.Runtime;

namespace MimNative.Evaluation;

/// <summary>Pictures side by side: original, masked, predicted, pasted; a row each, with captions.</summary>
public static class ReconstructionSheet
{
    private static readonly string[] Titles = ["original", "masked", "predicted", "pasted"];

    /// <summary>The sheet; small pictures are enlarged without smoothing, so that a cell is at least 128 pixels wide.</summary>
    /// <param name="pictures">The rows, all of one size.</param>
    /// <param name="caption">The line at the bottom: what the predictions were made pixels with.</param>
    public static Image Draw(IReadOnlyList<ReconstructedPicture> pictures, string caption)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        ArgumentNullException.ThrowIfNull(caption);
        SheetCell[][] rows = [.. pictures.Select(p => new SheetCell[] { new(p.Original), new(p.Masked), new(p.Predicted), new(p.Pasted) })];
        return PictureSheet.Draw(Titles, rows, caption);
    }
}
