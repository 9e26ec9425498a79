using MimNative.Runtime;

namespace MimNative.Evaluation;

/// <summary>Pictures side by side: original, masked, predicted, pasted; a row each, with captions.</summary>
public static class ReconstructionSheet
{
    private const int Gap = 6;
    private const byte Paper = 255, Ink = 30;

    private static readonly string[] Titles = ["original", "masked", "predicted", "pasted"];

    /// <summary>The sheet; small pictures are enlarged without smoothing, so that a cell is at least 128 pixels wide.</summary>
    /// <param name="pictures">The rows, all of one size.</param>
    /// <param name="caption">The line at the bottom: what the predictions were made pixels with.</param>
    public static Image Draw(IReadOnlyList<ReconstructedPicture> pictures, string caption)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        ArgumentNullException.ThrowIfNull(caption);
        var first = pictures[0].Original;
        var zoom = Math.Max(1, 128 / first.Width);
        int cellHeight = first.Height * zoom, cellWidth = first.Width * zoom;
        var width = (Titles.Length * (cellWidth + Gap)) + Gap;
        var scale = Math.Max(1, Math.Min(cellWidth / 96, width / Math.Max(1, PictureText.Width(caption, 1))));
        var line = PictureText.Height(scale) + Gap;
        var sheet = Image.Create(line + (pictures.Count * (cellHeight + Gap)) + line, width);
        sheet.Pixels.Fill(Paper);
        for (var i = 0; i < Titles.Length; i++)
        {
            PictureText.Draw(sheet, Titles[i], Gap / 2, Gap + (i * (cellWidth + Gap)), scale, Ink);
        }
        for (var row = 0; row < pictures.Count; row++)
        {
            var picture = pictures[row];
            var top = line + (row * (cellHeight + Gap));
            Image[] cells = [picture.Original, picture.Masked, picture.Predicted, picture.Pasted];
            for (var i = 0; i < cells.Length; i++)
            {
                Paste(sheet, cells[i], top, Gap + (i * (cellWidth + Gap)), zoom);
            }
        }
        PictureText.Draw(sheet, caption, sheet.Height - line, Gap, scale, Ink);
        return sheet;
    }

    private static void Paste(Image sheet, Image cell, int top, int left, int zoom)
    {
        var to = sheet.Pixels;
        var from = cell.Pixels;
        for (var y = 0; y < cell.Height * zoom; y++)
        {
            for (var x = 0; x < cell.Width * zoom; x++)
            {
                from.Slice(((y / zoom * cell.Width) + (x / zoom)) * 3, 3)
                    .CopyTo(to.Slice((((top + y) * sheet.Width) + left + x) * 3, 3));
            }
        }
    }
}
