using System.Globalization;
using MimNative.Data;
using MimNative.Evaluation.Objects;
using MimNative.Nn;
using MimNative.Recipes;
using MimNative.Runtime;

namespace MimNative.Evaluation.Coverage;

/// <summary>
/// Pictures with their objects marked, and what a draw of each crop leaves of them, before and after masking; shares are of the first object.
/// </summary>
/// <param name="crops">The crops with their names.</param>
/// <param name="grid">The grid.</param>
/// <param name="study">Draws them.</param>
public sealed class CoverageSheet(
    IReadOnlyList<(string Name, ITransform Transform)> crops, PatchGrid grid, CoverageStudy study) : IDisposable
{
    private const int LargestCell = 128;
    private const byte Grey = 127;

    private readonly List<SheetCell[]> _rows = [];

    /// <summary>Adds a row with the first draw of each crop.</summary>
    /// <param name="sample">The picture's number in the data.</param>
    /// <param name="picture">The picture; its objects are marked in it.</param>
    /// <param name="objects">At least one.</param>
    public void Add(long sample, Image picture, IReadOnlyList<PictureObject> objects)
    {
        ArgumentNullException.ThrowIfNull(picture);
        ArgumentNullException.ThrowIfNull(objects);
        foreach (var each in objects)
        {
            ObjectOutline.Draw(picture, each);
        }
        List<SheetCell> row = [new(Whole(picture))];
        var hidden = study.Hidden(sample, draw: 0);
        foreach (var (_, crop) in crops)
        {
            var uniforms = study.Uniforms(crop, sample, draw: 0);
            var origin = crop.Origin(picture.Height, picture.Width, uniforms);
            using var view = Image.Create(grid.Height, grid.Width);
            crop.Apply(picture, uniforms, view.Pixels);
            row.Add(new SheetCell(Shrunk(view), Percent(ObjectCoverage.Share(objects[0], origin))));
            Hide(view, hidden);
            row.Add(new SheetCell(Shrunk(view), Percent(ObjectCoverage.Share(objects[0], origin, grid, hidden))));
        }
        _rows.Add([.. row]);
    }

    /// <summary>The sheet.</summary>
    public Image Draw(string caption)
    {
        string[] titles = ["picture", .. crops.SelectMany(c => new[] { c.Name, $"{c.Name} masked" })];
        return PictureSheet.Draw(titles, _rows, caption);
    }

    /// <inheritdoc/>
    public void Dispose() => _rows.ForEach(row => Array.ForEach(row, cell => cell.Image.Dispose()));

    // The whole picture in a cell of the view's size, on white.
    private Image Whole(Image picture)
    {
        var (height, width) = Cell();
        var scale = Math.Min((double)height / picture.Height, (double)width / picture.Width);
        int h = Math.Clamp((int)Math.Round(picture.Height * scale), 1, height), w = Math.Clamp((int)Math.Round(picture.Width * scale), 1, width);
        using var resized = picture.Resized(h, w, Interpolation.Bicubic);
        var cell = Image.Create(height, width);
        cell.Pixels.Fill(255);
        int top = (height - h) / 2, left = (width - w) / 2;
        for (var y = 0; y < h; y++)
        {
            resized.Pixels.Slice(y * w * 3, w * 3).CopyTo(cell.Pixels[((((top + y) * width) + left) * 3)..]);
        }
        return cell;
    }

    private Image Shrunk(Image view)
    {
        var (height, width) = Cell();
        return view.Resized(height, width, Interpolation.Bicubic);
    }

    private (int Height, int Width) Cell()
    {
        var share = Math.Min(1.0, LargestCell / (double)Math.Max(grid.Height, grid.Width));
        return (Math.Max(1, (int)(grid.Height * share)), Math.Max(1, (int)(grid.Width * share)));
    }

    private void Hide(Image view, ReadOnlySpan<bool> hidden)
    {
        for (var i = 0; i < grid.Height * grid.Width; i++)
        {
            if (hidden[(i / grid.Width / grid.Patch * grid.Columns) + (i % grid.Width / grid.Patch)])
            {
                view.Pixels.Slice(3 * i, 3).Fill(Grey);
            }
        }
    }

    private static string Percent(double share) => share.ToString("0.0 %", CultureInfo.InvariantCulture);
}
