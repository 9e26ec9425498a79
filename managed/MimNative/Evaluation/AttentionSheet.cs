using System.Globalization;
using MimNative.Runtime;

namespace MimNative.Evaluation;

/// <summary>Where a query looks, drawn over pictures: white for the most attention, the query black.</summary>
public static class AttentionSheet
{
    private const int MostColumns = 7;

    /// <summary>The sheet of pictures, each with maps of the same layers and heads; they continue below after seven cells.</summary>
    public static Image Draw(IReadOnlyList<(Image Picture, IReadOnlyList<AttentionMap> Maps)> pictures)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        var rows = new List<IReadOnlyList<PictureCell>>();
        try
        {
            foreach (var (picture, maps) in pictures)
            {
                var cells = new List<PictureCell> { new(Query(picture, maps[0]), "query") };
                cells.AddRange(maps.Select(map => new PictureCell(Heat(picture, map), Title(map))));
                rows.AddRange(cells.Chunk(MostColumns));
            }
            return PictureTable.Draw(
                rows, "white: the largest weight of a cell (its number), black: the query", "grey: no token there for this query");
        }
        finally
        {
            rows.SelectMany(r => r).ToList().ForEach(cell => cell.Picture?.Dispose());
        }
    }

    /// <summary>The picture, darkened, under the weights; the largest one is white.</summary>
    public static Image Heat(Image picture, AttentionMap map)
    {
        ArgumentNullException.ThrowIfNull(picture);
        ArgumentNullException.ThrowIfNull(map);
        var highest = Highest(map);
        return Paint(picture, map, (patch, pixel) =>
        {
            var share = map.Weights[patch] / highest;
            return patch == map.Query ? 0 : double.IsNaN(share) ? 100 : (0.5 * pixel * (1 - share)) + (255 * share);
        });
    }

    private static Image Query(Image picture, AttentionMap map) => Paint(picture, map, (patch, pixel) => patch == map.Query ? 0 : pixel);

    private static string Title(AttentionMap map) =>
        string.Create(CultureInfo.InvariantCulture, $"{map.Layer} {(map.Head is { } head ? $"head {head}" : "mean")} {Highest(map):0.000}");

    // The query itself does not count: it is black.
    private static double Highest(AttentionMap map) =>
        Math.Max(map.Weights.Where((w, patch) => patch != map.Query && !double.IsNaN(w)).DefaultIfEmpty(0).Max(), 1e-30);

    private static Image Paint(Image picture, AttentionMap map, Func<int, byte, double> value)
    {
        var image = Image.Create(picture.Height, picture.Width);
        var from = picture.Pixels;
        var to = image.Pixels;
        for (var i = 0; i < to.Length; i++)
        {
            int y = i / 3 / picture.Width, x = i / 3 % picture.Width;
            var patch = (y * map.Rows / picture.Height * map.Columns) + (x * map.Columns / picture.Width);
            to[i] = (byte)Math.Clamp(Math.Round(value(patch, from[i])), 0, 255);
        }
        return image;
    }
}
