using MimNative.Nn;
using MimNative.Recipes;

namespace MimNative.Evaluation.Benchmarks;

/// <summary>
/// Operations of a training step as the methods' texts have it: a multiplication and an addition count two, a backward pass twice its
/// forward pass. Counted are linear layers, convolutions, attention and the patch embedding (of all patches, without the gradient of the
/// pixels). Who leaves out what nobody needs has the same count and a shorter time.
/// </summary>
public static class StepWork
{
    /// <summary>Operations for one image.</summary>
    public static double PerImage(Recipe recipe)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        var forward = recipe.Method switch
        {
            MethodKind.Mae => Mae(recipe),
            MethodKind.LoMaR => LoMaR(recipe),
            MethodKind.SimMim => recipe.Encoder.Kind == EncoderKind.Swin ? Swin(recipe) : SimMim(recipe),
            var other => throw new ArgumentException($"the work of method {other} is not counted"),
        };
        var embedding = recipe.Encoder.Kind == EncoderKind.ConvVit
            ? Patches(recipe) * recipe.Encoder.Dims[0] * PatchValues(recipe)      // 16 tokens a patch, of a sixteenth of its values each
            : Patches(recipe) * recipe.Encoder.Dim * PatchValues(recipe);
        return (2 * 3 * forward) + (2 * 2 * embedding);
    }

    // Multiplications of a forward pass, the patch embedding apart.

    private static double Mae(Recipe recipe)
    {
        var (encoder, decoder) = (recipe.Encoder, recipe.Decoder);
        double patches = Patches(recipe), kept = Math.Truncate(patches * (1 - recipe.Mask.Ratio));
        var classToken = 1;
        double encoded;
        if (encoder.Kind == EncoderKind.ConvVit)
        {
            classToken = 0;
            encoded = ConvStages(encoder, patches, kept) + Blocks(encoder.Depths[2], kept, encoder.Dims[2], encoder.MlpRatio);
        }
        else
        {
            encoded = Blocks(encoder.Depth, kept + 1, encoder.Dim, encoder.MlpRatio);
        }
        double side = decoder.Downsampling, predicted = decoder.PredictionDownsampling, dim = decoder.Dim;
        // LSMAE's convolutions down, and up again where patches are predicted each
        var resampling = side == 1 ? 0 : patches * dim * dim * (predicted == side ? 1 : 2);
        return encoded + ((kept + classToken) * recipe.OutputDim() * dim) + resampling +
            Blocks(decoder.Depth, (patches / (side * side)) + classToken, dim, decoder.MlpRatio) +
            (patches * dim * PatchValues(recipe));
    }

    // 1 x 1 convolutions 2 C², the depthwise one 25 C, the perceptron 2 r C² a token; then the steps between stages, and the fusion, of
    // the visible patches where those alone are needed.
    private static double ConvStages(EncoderRecipe encoder, double patches, double kept)
    {
        double first = encoder.Dims[0], second = encoder.Dims[1], third = encoder.Dims[2];
        double Stage(double tokens, double dim, int depth) => depth * tokens * dim * (((2 + (2 * encoder.MlpRatio)) * dim) + 25);
        return Stage(16 * patches, first, encoder.Depths[0]) + Stage(4 * patches, second, encoder.Depths[1]) +
            (4 * patches * 4 * first * second) + (kept * third * ((2 * 4 * second) + third + (16 * first)));
    }

    private static double SimMim(Recipe recipe)
    {
        var encoder = recipe.Encoder;
        var patches = Patches(recipe);
        return Blocks(encoder.Depth, patches + 1, encoder.Dim, encoder.MlpRatio) + (patches * encoder.Dim * PatchValues(recipe));
    }

    private static double LoMaR(Recipe recipe)
    {
        var (encoder, mask) = (recipe.Encoder, recipe.Mask);
        double places = mask.Window * mask.Window, tokens = places + 1;
        var relative = encoder.RelativePosition == RelativePositionKind.Contextual
            ? encoder.Depth * tokens * encoder.Dim * ContextualPosition.Buckets
            : 0;
        return mask.Windows *
            (Blocks(encoder.Depth, tokens, encoder.Dim, encoder.MlpRatio) + relative + (places * encoder.Dim * PatchValues(recipe)));
    }

    private static double Swin(Recipe recipe)
    {
        var encoder = recipe.Encoder;
        double sum = 0, tokens = Patches(recipe), dim = encoder.Dim, side = Math.Min(recipe.Image.Height, recipe.Image.Width) / encoder.Patch;
        for (var i = 0; i < encoder.Depths.Count; i++)
        {
            var window = Math.Min(encoder.Window, side);
            sum += tokens / (window * window) * Blocks(encoder.Depths[i], window * window, dim, encoder.MlpRatio);
            if (i + 1 < encoder.Depths.Count)
            {
                sum += tokens / 4 * (4 * dim) * (2 * dim);
                (tokens, dim, side) = (tokens / 4, 2 * dim, side / 2);
            }
        }
        return sum + (tokens * dim * recipe.Image.Channels * recipe.Stride() * recipe.Stride());
    }

    // qkv and proj 4 D², the perceptron 2 r D², scores and sums 2 T D a token.
    private static double Blocks(int depth, double tokens, double dim, double ratio) =>
        depth * tokens * dim * (((4 + (2 * ratio)) * dim) + (2 * tokens));

    private static double Patches(Recipe recipe) => recipe.Patches();

    private static double PatchValues(Recipe recipe) => recipe.Encoder.Patch * recipe.Encoder.Patch * recipe.Image.Channels;
}
