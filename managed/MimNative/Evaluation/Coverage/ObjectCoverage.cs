using MimNative.Data;
using MimNative.Evaluation.Objects;
using MimNative.Nn;

namespace MimNative.Evaluation.Coverage;

/// <summary>
/// How much of an object is left in a view (PixMIM, section 3.2: its area in the crop divided by its area in the picture). No pixel is
/// needed: the crop's rectangle says which part of the picture is seen, and a mirrored border shows nothing that counts.
/// </summary>
public static class ObjectCoverage
{
    /// <summary>The share of an object's area that a view shows.</summary>
    public static double Share(PictureObject picturedObject, in ViewOrigin view)
    {
        ArgumentNullException.ThrowIfNull(picturedObject);
        return picturedObject.AreaIn(view.Shown) / picturedObject.Area;
    }

    /// <summary>The share that is still to be seen when patches of the view are hidden.</summary>
    /// <param name="picturedObject">The object.</param>
    /// <param name="view">The view.</param>
    /// <param name="grid">How the view is cut into patches.</param>
    /// <param name="hidden">Which of them are hidden, row-major.</param>
    public static double Share(PictureObject picturedObject, in ViewOrigin view, PatchGrid grid, ReadOnlySpan<bool> hidden)
    {
        ArgumentNullException.ThrowIfNull(picturedObject);
        if (hidden.Length != grid.Count)
        {
            throw new ArgumentException($"a mask of {hidden.Length} patches came, expected {grid.Rows} x {grid.Columns}");
        }
        double seen = 0;
        for (var patch = 0; patch < hidden.Length; patch++)
        {
            seen += hidden[patch] ? 0 : picturedObject.AreaIn(Patch(view, grid, patch));
        }
        return seen / picturedObject.Area;
    }

    /// <summary>The area of an object, in pixels of the picture, that each patch of a view shows.</summary>
    public static double[] PatchAreas(PictureObject picturedObject, in ViewOrigin view, PatchGrid grid)
    {
        ArgumentNullException.ThrowIfNull(picturedObject);
        var areas = new double[grid.Count];
        for (var patch = 0; patch < areas.Length; patch++)
        {
            areas[patch] = picturedObject.AreaIn(Patch(view, grid, patch));
        }
        return areas;
    }

    private static Region Patch(in ViewOrigin view, PatchGrid grid, int patch) =>
        view.Cell(patch / grid.Columns, patch % grid.Columns, grid.Rows, grid.Columns);
}
