using System.Globalization;
using MimNative.Evaluation.Objects;
using MimNative.Export;
using MimNative.Nn;
using MimNative.Recipes;
using MimNative.Runtime;

namespace MimNative.Evaluation;

/// <summary>
/// Which patches of a picture are removed, as text: <c>random</c> (the model's own rule), <c>box:LEFT,TOP,WIDTH,HEIGHT</c> in pixels
/// of the picture, <c>patches:I,J,K-L,...</c> row-major over the grid, <c>file:MASK.png</c>, a picture whose bright pixels are
/// removed, <c>object</c>, all that an object touches, or <c>object:SHARE</c>, as many patches as cover this share of it.
/// </summary>
public sealed class MaskRule
{
    private readonly string _text;
    private readonly Func<PictureView, Recipe, PatchGrid, PictureObject?, bool[]>? _patches;

    private MaskRule(string text, Func<PictureView, Recipe, PatchGrid, PictureObject?, bool[]>? patches, bool ofObject = false) =>
        (_text, _patches, IsOfObject) = (text, patches, ofObject);

    /// <summary>Whether patches are drawn at random.</summary>
    public bool IsRandom => _patches is null;

    /// <summary>Whether it removes an object, which has to be given.</summary>
    public bool IsOfObject { get; }

    /// <summary>Reads a rule.</summary>
    /// <exception cref="FormatException">It is none; the sentence says what was expected.</exception>
    public static MaskRule Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var rest = colon < 0 ? "" : text[(colon + 1)..];
        return (colon < 0 ? text : text[..colon]) switch
        {
            "random" when colon < 0 => new MaskRule(text, null),
            "box" => FromBox(text, rest),
            "patches" => FromPatches(text, rest),
            "file" when rest.Length > 0 => FromFile(text, rest),
            "object" => FromObject(text, colon < 0 ? "1" : rest),
            _ => throw Wrong(text),
        };
    }

    /// <summary>The removed patches of a picture.</summary>
    /// <param name="view">The picture.</param>
    /// <param name="recipe">The model's recipe.</param>
    /// <param name="grid">The model's grid.</param>
    /// <param name="picturedObject">The object, in the picture's own pixels.</param>
    /// <exception cref="FormatException">All or none of the patches would be removed.</exception>
    public bool[] Removed(PictureView view, Recipe recipe, PatchGrid grid, PictureObject? picturedObject = null)
    {
        var removed = _patches!(view, recipe, grid, picturedObject);
        var count = removed.Count(r => r);
        return count > 0 && count < removed.Length
            ? removed
            : throw new FormatException(
                $"mask '{_text}' removes {count} of {removed.Length} patches, expected at least 1 removed and 1 kept");
    }

    private static MaskRule FromBox(string text, string rest)
    {
        var numbers = rest.Split(',').Select(Number).ToArray();
        return numbers is [{ } left, { } top, { } width, { } height] && width > 0 && height > 0
            ? new MaskRule(text, (view, _, grid, _) => view.PatchesOf(new Box(top, left, height, width), grid))
            : throw Wrong(text);
    }

    private static MaskRule FromPatches(string text, string rest)
    {
        var ranges = rest.Split(',').Select(r => r.Split('-').Select(Number).ToArray()).ToArray();
        if (ranges.Any(r => r.Length > 2 || r.Any(n => n is null) || r[0] > r[^1]))
        {
            throw Wrong(text);
        }
        return new MaskRule(text, (_, _, grid, _) =>
        {
            var removed = new bool[grid.Count];
            foreach (var range in ranges)
            {
                if (range[^1] >= grid.Count)
                {
                    throw new FormatException($"mask '{text}' names patch {range[^1]}, expected 0 to {grid.Count - 1}");
                }
                removed.AsSpan(range[0]!.Value, range[^1]!.Value - range[0]!.Value + 1).Fill(true);
            }
            return removed;
        });
    }

    private static MaskRule FromFile(string text, string path) => new(text, (_, recipe, grid, _) =>
    {
        using var mask = Read(path);
        return PictureView.PatchesOf(mask, recipe, grid, share: 0.5);
    });

    private static MaskRule FromObject(string text, string rest)
    {
        var isShare = double.TryParse(rest, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var share);
        return isShare && share > 0 && share <= 1
            ? new MaskRule(text, (view, _, grid, picturedObject) => picturedObject is null
                ? throw new ArgumentException($"mask '{text}' needs an object")
                : view.PatchesOf(picturedObject, grid, share), ofObject: true)
            : throw Wrong(text);
    }

    private static Image Read(string path)
    {
        try
        {
            return Image.Decode(File.ReadAllBytes(path));
        }
        catch (MimException e) when (e.Status is MimStatus.CorruptData or MimStatus.InvalidArgument or MimStatus.Unsupported)
        {
            throw new InvalidFileException($"the mask '{path}' cannot be decoded: {e.Message}", e);
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            throw new InvalidFileException($"the mask '{path}' cannot be read: {DiskFailure.Reason(e)}", e);
        }
    }

    private static int? Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;

    private static FormatException Wrong(string text) => new(
        $"mask is '{text}', expected random, box:LEFT,TOP,WIDTH,HEIGHT, patches:I,J,K-L, file:MASK.png, object or object:SHARE " +
        "with a share above 0, at most 1");
}
