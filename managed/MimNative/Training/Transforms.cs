using MimNative.Data;
using MimNative.Recipes;

namespace MimNative.Training;

/// <summary>The transforms that recipes ask for.</summary>
public static class Transforms
{
    /// <summary>The augmentation of training.</summary>
    public static ITransform Create(Recipe recipe)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        return Settings(recipe).Create();
    }

    /// <summary>The recipe's augmentation with another crop in the place of its own.</summary>
    public static ITransform Create(Recipe recipe, TransformKind crop)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        return (Settings(recipe) with { Kind = crop }).Create();
    }

    /// <summary>The whole picture as far as it fits: shorter side resized, centre cut out; nothing random.</summary>
    public static ITransform Evaluation(Recipe recipe)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        return (Settings(recipe) with { Kind = TransformKind.CenterCrop, CropShare = 1 }).Create();
    }

    private static TransformSettings Settings(Recipe recipe)
    {
        var transform = recipe.Transform;
        return new TransformSettings
        {
            Kind = transform.Kind,
            Height = recipe.Image.Height,
            Width = recipe.Image.Width,
            Interpolation = transform.Interpolation,
            Flip = transform.Flip,
            ScaleMin = transform.Scale[0],
            ScaleMax = transform.Scale[1],
            RatioMin = transform.Ratio[0],
            RatioMax = transform.Ratio[1],
            Padding = transform.Padding,
        };
    }
}
