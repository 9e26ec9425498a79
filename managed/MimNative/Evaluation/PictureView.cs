using MimNative.Data;
using MimNative.Nn;
using MimNative.Recipes;
using MimNative.Runtime;

namespace MimNative.Evaluation;

/// <summary>
/// A picture brought to a model's input size without chance: shorter side resized, centre cut out. It remembers where the
/// picture's pixels went, so that masks drawn on the picture land on the right patches.
/// </summary>
public sealed class PictureView : IDisposable
{
    private readonly double _scaleX, _scaleY;
    private readonly Box _crop;

    private PictureView(Image image, double scaleX, double scaleY, Box crop) =>
        (Image, _scaleX, _scaleY, _crop) = (image, scaleX, scaleY, crop);

    /// <summary>The picture at the model's size.</summary>
    public Image Image { get; }

    /// <summary>The view of a picture for a model of this recipe.</summary>
    public static PictureView Of(Image picture, Recipe recipe)
    {
        ArgumentNullException.ThrowIfNull(picture);
        ArgumentNullException.ThrowIfNull(recipe);
        int height = recipe.Image.Height, width = recipe.Image.Width;
        // Of a very long strip only the middle can be seen; the rest is not resized for nothing.
        var window = ShortSide.Window(picture.Height, picture.Width, height, width, 0.5f);
        var (resizedHeight, resizedWidth) = ShortSide.Size(window.Height, window.Width, height, width);
        using var resized = picture.ResizedCrop(window, resizedHeight, resizedWidth, recipe.Transform.Interpolation);
        var crop = CenterCrop.Box(resizedHeight, resizedWidth, height, width);
        double scaleX = (double)resizedWidth / window.Width, scaleY = (double)resizedHeight / window.Height;
        var shifted = crop with
        {
            Top = crop.Top + (int)Math.Round(window.Top * scaleY),
            Left = crop.Left + (int)Math.Round(window.Left * scaleX),
        };
        return new PictureView(resized.Crop(crop), scaleX, scaleY, shifted);
    }

    /// <summary>The patches that a box of the picture's pixels touches.</summary>
    public bool[] PatchesOf(Box box, PatchGrid grid)
    {
        double left = (box.Left * _scaleX) - _crop.Left, right = (((double)box.Left + box.Width) * _scaleX) - _crop.Left;
        double top = (box.Top * _scaleY) - _crop.Top, bottom = (((double)box.Top + box.Height) * _scaleY) - _crop.Top;
        var touched = new bool[grid.Count];
        for (var patch = 0; patch < grid.Count; patch++)
        {
            int x = patch % grid.Columns * grid.Patch, y = patch / grid.Columns * grid.Patch;
            touched[patch] = x < right && x + grid.Patch > left && y < bottom && y + grid.Patch > top;
        }
        return touched;
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
