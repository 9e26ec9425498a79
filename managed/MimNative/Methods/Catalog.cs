using MimNative.Encoders;
using MimNative.Nn;
using MimNative.Recipes;
using MimNative.Runtime;
using MimNative.Targets;

namespace MimNative.Methods;

/// <summary>The methods by the names that recipes call them. To add one is to add a line here.</summary>
public static class Catalog
{
    private static readonly Dictionary<MethodKind, Func<ParameterScope, Recipe, IMethod>> Methods = new()
    {
        [MethodKind.Mae] = CreateMae,
    };

    /// <summary>Registers the parameters of a recipe's method; the store is allocated afterwards.</summary>
    public static IMethod Create(ParameterScope scope, Recipe recipe)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        return Methods[recipe.Method](scope, recipe);
    }

    private static Mae CreateMae(ParameterScope scope, Recipe recipe) => new(scope, new MaeSettings(
        Vit(recipe),
        new MaeDecoderSettings(recipe.Decoder.Dim, recipe.Decoder.Depth, recipe.Decoder.Heads, recipe.Decoder.MlpRatio),
        recipe.Mask.Ratio,
        TargetOf(recipe),
        recipe.Loss.Kind,
        (float)recipe.Loss.Beta));

    private static VitSettings Vit(Recipe recipe)
    {
        var grid = new PatchGrid(recipe.Image.Height, recipe.Image.Width, recipe.Image.Channels, recipe.Encoder.Patch);
        return new VitSettings(
            grid, recipe.Encoder.Dim, recipe.Encoder.Depth, recipe.Encoder.Heads, recipe.Encoder.MlpRatio);
    }

    private static Target TargetOf(Recipe recipe) => recipe.Target.Kind switch
    {
        TargetKind.RawPixels => new RawPixels(),
        TargetKind.NormalizedPixels => new NormalizedPixels(),
        var other => throw new ArgumentException($"target.kind {other} has no target"),
    };
}
