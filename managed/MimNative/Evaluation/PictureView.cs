using MimNative.Data;
using MimNative.Evaluation.Coverage;
using MimNative.Evaluation.Objects;
using MimNative.Nn;
using MimNative.Recipes;
using MimNative.Runtime;
using MimNative.Training;

namespace MimNative.Evaluation;

/// <summary>
/// A picture brought to a model's input size without chance: shorter side resized, centre cut out. It remembers where the
/// picture's pixels went, so that masks drawn on the picture land on the right patches.
/// </summary>
public sealed class PictureView : IDisposable
{
    // Of a patch: what less than this is touched of it is rounding.
    private const double Touch = 1e-6;

    private readonly ViewOrigin _origin;

    private PictureView(Image image, ViewOrigin origin) => (Image, _origin) = (image, origin);

    /// <summary>The picture at the model's size.</summary>
    public Image Image { get; }

    /// <summary>The view of a picture for a model of this recipe.</summary>
    public static PictureView Of(Image picture, Recipe recipe)
    {
        ArgumentNullException.ThrowIfNull(picture);
        ArgumentNullException.ThrowIfNull(recipe);
        var crop = Transforms.Evaluation(recipe);
        var image = Image.Create(crop.Height, crop.Width);
        crop.Apply(picture, [], image.Pixels);
        return new PictureView(image, crop.Origin(picture.Height, picture.Width, []));
    }

    /// <summary>The patches that a box of the picture's pixels touches.</summary>
    public bool[] PatchesOf(Box box, PatchGrid grid) => PatchesOf(new BoxObject(Region.Of(box)), grid, share: 1);

    /// <summary>
    /// Patches that cover a share of what is seen of an object: all that it touches for the share 1, else as few as will do, those first
    /// that it fills most; of equally full ones those nearer to its centre.
    /// </summary>
    public bool[] PatchesOf(PictureObject picturedObject, PatchGrid grid, double share)
    {
        var areas = ObjectCoverage.PatchAreas(picturedObject, _origin, grid);
        var least = Touch * _origin.Whole.Area / grid.Count;
        double total = areas.Sum(), y = 0, x = 0;
        for (var patch = 0; patch < areas.Length; patch++)
        {
            (y, x) = (y + (areas[patch] / total * (patch / grid.Columns)), x + (areas[patch] / total * (patch % grid.Columns)));
        }
        var patches = new bool[grid.Count];
        double covered = 0;
        foreach (var patch in Enumerable.Range(0, grid.Count).Where(p => areas[p] > least)
                     .OrderByDescending(p => Math.Round(areas[p] / least)).ThenBy(Distance))
        {
            if (share < 1 && covered >= (share - Touch) * total)
            {
                break;
            }
            patches[patch] = true;
            covered += areas[patch];
        }
        return patches;

        double Distance(int patch) => Math.Round(Math.Pow((patch / grid.Columns) - y, 2) + Math.Pow((patch % grid.Columns) - x, 2), 6);
    }

    /// <summary>The patches of which a mask picture of the same size as the picture marks (bright) at least a part.</summary>
    /// <param name="mask">The mask.</param>
    /// <param name="recipe">The model's recipe.</param>
    /// <param name="grid">The model's grid.</param>
    /// <param name="share">Share of a patch that must be marked, in (0, 1].</param>
    public static bool[] PatchesOf(Image mask, Recipe recipe, PatchGrid grid, double share)
    {
        using var view = Of(mask, recipe);
        var marked = new int[grid.Count];
        var pixels = view.Image.Pixels;
        for (var i = 0; i < pixels.Length / 3; i++)
        {
            int y = i / grid.Width, x = i % grid.Width;
            var bright = pixels[3 * i] + pixels[(3 * i) + 1] + pixels[(3 * i) + 2] > 3 * 127;
            marked[(y / grid.Patch * grid.Columns) + (x / grid.Patch)] += bright ? 1 : 0;
        }
        return [.. marked.Select(m => m >= share * grid.Patch * grid.Patch)];
    }

    /// <inheritdoc/>
    public void Dispose() => Image.Dispose();
}
