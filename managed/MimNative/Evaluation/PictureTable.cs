using MimNative.Runtime;

namespace MimNative.Evaluation;

/// <summary>A picture of a table with what stands above it; a picture that is absent leaves its place empty.</summary>
internal readonly record struct PictureCell(Image? Picture, string Title);

/// <summary>Pictures of one size in rows, each with a title of its own, and a caption below them; see <see cref="PictureSheet"/> for columns.</summary>
internal static class PictureTable
{
    private const int Gap = 6, SmallestCell = 128;
    private const byte Paper = 255, Ink = 30;

    /// <summary>
    /// The table; small pictures are enlarged without smoothing, so that a cell is at least 128 pixels wide, and a cell is as wide as the
    /// longest title needs.
    /// </summary>
    public static Image Draw(IReadOnlyList<IReadOnlyList<PictureCell>> rows, params ReadOnlySpan<string> caption)
    {
        var cells = rows.SelectMany(r => r).ToList();
        var first = cells.First(c => c.Picture is not null).Picture!;
        var zoom = Math.Max(1, (SmallestCell + first.Width - 1) / first.Width);
        var scale = first.Width * zoom >= 2 * SmallestCell ? 2 : 1;
        var cellWidth = Math.Max(first.Width * zoom, cells.Max(c => PictureText.Width(c.Title, scale)));
        var cellHeight = PictureText.Height(scale) + (first.Height * zoom);
        var columns = rows.Max(r => r.Count);
        var width = Gap + (columns * (cellWidth + Gap));
        foreach (var line in caption)
        {
            width = Math.Max(width, (2 * Gap) + PictureText.Width(line, scale));
        }
        var below = caption.Length == 0 ? 0 : (caption.Length * PictureText.Height(scale)) + Gap;
        var sheet = Image.Create(Gap + (rows.Count * (cellHeight + Gap)) + below, width);
        sheet.Pixels.Fill(Paper);
        for (var row = 0; row < rows.Count; row++)
        {
            for (var column = 0; column < rows[row].Count; column++)
            {
                var (picture, title) = rows[row][column];
                int top = Gap + (row * (cellHeight + Gap)), left = Gap + (column * (cellWidth + Gap));
                PictureText.Draw(sheet, title, top, left, scale, Ink);
                if (picture is not null)
                {
                    PicturePaste.Draw(sheet, picture, top + PictureText.Height(scale), left, zoom);
                }
            }
        }
        for (var i = 0; i < caption.Length; i++)
        {
            PictureText.Draw(sheet, caption[i], sheet.Height - below + (i * PictureText.Height(scale)), Gap, scale, Ink);
        }
        return sheet;
    }
}
