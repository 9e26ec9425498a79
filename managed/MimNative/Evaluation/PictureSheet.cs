using MimNative.Runtime;

namespace MimNative.Evaluation;

/// <summary>A picture of a sheet, and a line under it.</summary>
internal readonly record struct SheetCell(Image Image, string Note = "");

/// <summary>Pictures of one size in rows and columns that have titles; see <see cref="PictureTable"/> for titles of each.</summary>
internal static class PictureSheet
{
    private const int Gap = 6, LeastWidth = 128, TitleWidth = 96;
    private const byte Paper = 255, Ink = 30;

    /// <summary>The sheet; small pictures are enlarged without smoothing, so that a cell is at least 128 pixels wide.</summary>
    /// <param name="titles">Of the columns; a title may have several lines.</param>
    /// <param name="rows">The rows, all of as many pictures as there are titles.</param>
    /// <param name="caption">The line at the bottom.</param>
    public static Image Draw(IReadOnlyList<string> titles, IReadOnlyList<IReadOnlyList<SheetCell>> rows, string caption)
    {
        var first = rows[0][0].Image;
        var zoom = Math.Max(1, LeastWidth / first.Width);
        int cellHeight = first.Height * zoom, cellWidth = first.Width * zoom;
        var width = (titles.Count * (cellWidth + Gap)) + Gap;
        string[][] lines = [.. titles.Select(t => t.Split('\n'))];
        var longest = lines.SelectMany(l => l).Concat(rows.SelectMany(r => r).Select(c => c.Note)).Max(t => PictureText.Width(t, 1));
        var scale = Math.Max(1, Math.Min(
            cellWidth / Math.Max(TitleWidth, longest), width / Math.Max(1, PictureText.Width(caption, 1))));
        int line = PictureText.Height(scale) + Gap, head = (lines.Max(l => l.Length) * PictureText.Height(scale)) + Gap;
        var note = rows.SelectMany(r => r).Any(c => c.Note.Length > 0) ? PictureText.Height(scale) : 0;
        var sheet = Image.Create(head + (rows.Count * (cellHeight + note + Gap)) + line, width);
        sheet.Pixels.Fill(Paper);
        for (var i = 0; i < titles.Count; i++)
        {
            var left = Gap + (i * (cellWidth + Gap));
            for (var l = 0; l < lines[i].Length; l++)
            {
                PictureText.Draw(
                    sheet, Cut(lines[i][l], cellWidth, scale), (Gap / 2) + (l * PictureText.Height(scale)), left, scale, Ink);
            }
            for (var row = 0; row < rows.Count; row++)
            {
                var top = head + (row * (cellHeight + note + Gap));
                PicturePaste.Draw(sheet, rows[row][i].Image, top, left, zoom);
                PictureText.Draw(sheet, Cut(rows[row][i].Note, cellWidth, scale), top + cellHeight, left, scale, Ink);
            }
        }
        PictureText.Draw(sheet, caption, sheet.Height - line, Gap, scale, Ink);
        return sheet;
    }

    // What would run into the next column is left away.
    private static string Cut(string text, int width, int scale) => text[..Math.Min(text.Length, width / PictureText.Width("x", scale))];
}
