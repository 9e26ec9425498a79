using MimNative.Recipes;
using MimNative.Runtime;
using MimNative.Training;

namespace MimNative.Tests.Evaluation;

/// <summary>Models of a few thousand parameters for pictures of 24 x 40 pixels: 3 x 5 patches of 8.</summary>
internal static class SmallModel
{
    public const int Height = 24, Width = 40, Patch = 8, Patches = 15;

    public static Recipe Recipe(params string[] settings) => MimNative.Recipes.Recipe.Load("demo",
    [
        $"image.height={Height}", $"image.width={Width}", $"encoder.patch={Patch}", "encoder.dim=16", "encoder.depth=1",
        "encoder.heads=2", "decoder.dim=8", "decoder.depth=1", "decoder.heads=2", .. settings,
    ]);

    public static Model Create(Context context, params string[] settings) => new(Recipe(settings), context);
}
