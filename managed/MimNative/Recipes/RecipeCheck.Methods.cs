using MimNative.Masking;
using MimNative.Nn;

namespace MimNative.Recipes;

// What a method can work with: encoders, heads, targets, masks.
internal sealed partial class RecipeCheck
{
    // Which encoder, decoder and positions a method can work with.
    private void Fits(Recipe recipe)
    {
        bool isMae = recipe.Method == MethodKind.Mae, isSimMim = recipe.Method == MethodKind.SimMim;
        string method = Name("method", recipe);
        Require(recipe.Encoder.Kind != EncoderKind.Swin || isSimMim, "encoder.kind",
            $"vit{(isMae ? " or conv_vit" : "")}, because {method} gives its encoder a set of patches and not a whole grid",
            Name("encoder.kind", recipe));
        Require(recipe.Encoder.Kind != EncoderKind.ConvVit || isMae, "encoder.kind",
            $"vit{(isSimMim ? " or swin" : "")}, because conv_vit has no mask token", Name("encoder.kind", recipe));
        Require(isMae == (recipe.Decoder.Kind == DecoderKind.Mae), "decoder.kind",
            isMae ? "mae, which fills in the patches that the encoder of mae does not see"
                : $"linear{(isSimMim ? ", mlp or inverse_swin" : " or mlp")}, because the encoder of {method} sees every place",
            Name("decoder.kind", recipe));
        Require(recipe.Decoder.Kind != DecoderKind.InverseSwin || isSimMim, "decoder.kind",
            $"linear or mlp, because the windows of {method} are no whole grid", Name("decoder.kind", recipe));
        Require(recipe.Method != MethodKind.LoMaR || recipe.Encoder.Position == PositionKind.None, "encoder.position",
            "none, because windows lie at random places", Name("encoder.position", recipe));
        Require(recipe.Encoder.Position != PositionKind.SinCos || recipe.Encoder.Kind != EncoderKind.Swin, "encoder.position",
            "learned or none with a Swin transformer", Name("encoder.position", recipe));
        Require(!isMae || recipe.Encoder.RelativePosition == RelativePositionKind.None, "encoder.relative_position",
            "none, because every image shows mae's encoder other patches", Name("encoder.relative_position", recipe));
        Require(recipe.Loss.Pixels == LossPixels.Masked || isSimMim, "loss.pixels",
            $"masked, because {method} predicts nothing else", Name("loss.pixels", recipe));
    }

    // What says nothing to the method or the encoder must not look as if it did.
    private void Unused(Recipe recipe)
    {
        var differences = recipe.Differences();
        void Left(bool isUsed, string by, params string[] keys)
        {
            foreach (var found in differences.Where(d => !isUsed && keys.Contains(d.Key)).Take(1))
            {
                Require(false, found.Key, $"left at {found.Default}, because {by} does not use it", found.Value);
            }
        }
        var isMae = recipe.Method == MethodKind.Mae;
        string method = Name("method", recipe), encoder = Name("encoder.kind", recipe);
        Left(recipe.Method == MethodKind.SimMim, method, "mask.kind", "mask.patch");
        Left(recipe.Method == MethodKind.LoMaR, method, "mask.windows", "mask.window", "mask.shared_windows", "mask.token");
        Left(isMae, method, "mask.downsampling", "decoder.downsampling", "decoder.prediction_downsampling");
        Left(recipe.Encoder.Kind == EncoderKind.Swin, encoder, "encoder.stage_heads", "encoder.window");
        Left(recipe.Encoder.Kind == EncoderKind.ConvVit, encoder, "encoder.dims");
        Left(recipe.Encoder.Kind != EncoderKind.Vit, encoder, "encoder.depths");
        Left(recipe.Encoder.Kind != EncoderKind.ConvVit, encoder, "encoder.dim", "encoder.depth", "encoder.layer_scale", "encoder.drop_path");
    }

    private void Target(Recipe recipe)
    {
        TargetRecipe target = recipe.Target;
        Require(target.LowPass >= 0, "target.low_pass", "a bandwidth in frequency bins of at least 0", target.LowPass);
        int stride = recipe.Decoder.Kind switch
        {
            DecoderKind.InverseSwin => Math.Max(1, recipe.Stride() >> (recipe.Decoder.Depths.Count - 1)),
            DecoderKind.Mae => recipe.Stride() * Math.Clamp(recipe.Decoder.PredictionDownsampling, 1, LargestSide),
            _ => recipe.Stride(),
        };
        Require(target.Reduction >= 1 && stride % target.Reduction == 0, "target.reduction",
            $"a divisor of {stride}, the pixels between two predictions", target.Reduction);
        Require(recipe.Method != MethodKind.SimMim || recipe.Mask.Patch % target.Reduction == 0, "target.reduction",
            $"a divisor of mask.patch, which is {recipe.Mask.Patch}", target.Reduction);
        Require(target.Kind == TargetKind.RawPixels || stride / target.Reduction * (stride / target.Reduction) * recipe.Image.Channels > 1,
            "target.kind", "raw_pixels where a patch holds a single number, whose variance is not defined",
            Name("target.kind", recipe));
    }

    private void Mask(Recipe recipe)
    {
        MaskRecipe mask = recipe.Mask;
        Require(mask.Ratio is > 0 and < 1, "mask.ratio", "a number between 0 and 1, both excluded", mask.Ratio);
        switch (recipe.Method)
        {
            case MethodKind.Mae:
                Hides(recipe.Patches() - MaskCounts.MaeKept(recipe.Patches(), mask.Ratio), recipe.Patches(), "patches of an image", mask);
                Whole("mask.downsampling", mask.Downsampling, 1, LargestSide);
                break;
            case MethodKind.SimMim:
                MaskPatch(recipe);
                int units = recipe.Image.Height / mask.Patch * (recipe.Image.Width / mask.Patch);
                Hides(MaskCounts.SimMimMasked(units, mask.Ratio), units, $"mask patches of {mask.Patch} pixels", mask);
                break;
            case MethodKind.LoMaR:
                WindowsOfImage(recipe);
                int patches = mask.Window * mask.Window;
                Hides(MaskCounts.LoMaRMasked(patches, mask.Ratio), patches, "patches of a window", mask);
                break;
        }
    }

    private void Hides(int hidden, int all, string what, MaskRecipe mask) => Require(
        hidden > 0 && hidden < all, "mask.ratio", $"a share that hides some of the {all} {what} and leaves some", mask.Ratio);

    private void MaskPatch(Recipe recipe)
    {
        int patch = recipe.Mask.Patch;
        Require(patch >= 1 && patch % recipe.Encoder.Patch == 0, "mask.patch",
            $"a multiple of encoder.patch, which is {recipe.Encoder.Patch}", patch);
        Require(recipe.Image.Height % patch == 0 && recipe.Image.Width % patch == 0, "mask.patch",
            $"a divisor of the image's {recipe.Image.Height} x {recipe.Image.Width} pixels", patch);
    }

    private void WindowsOfImage(Recipe recipe)
    {
        int rows = recipe.Image.Height / recipe.Encoder.Patch, columns = recipe.Image.Width / recipe.Encoder.Patch;
        Require(recipe.Mask.Window >= 2 && recipe.Mask.Window <= Math.Min(rows, columns), "mask.window",
            $"a whole number from 2 to {Math.Min(rows, columns)}, the smaller side of the grid of {rows} x {columns} patches",
            recipe.Mask.Window);
        Whole("mask.windows", recipe.Mask.Windows, 1, LargestSide);
    }
}
