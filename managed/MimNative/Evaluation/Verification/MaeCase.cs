using MimNative.Encoders;
using MimNative.Methods;
using MimNative.Nn;
using MimNative.Runtime;
using MimNative.Targets;

namespace MimNative.Evaluation.Verification;

/// <summary>A whole MAE, with PixMIM's target or its own: masks, outputs, loss and every gradient, the images' too.</summary>
internal static class MaeCase
{
    public static void Check(RecordedCase recorded, Comparisons compare, Step step)
    {
        using var store = new ParameterStore();
        var mae = Build(recorded, store, recorded.Shape("imgs", 4));
        store.Allocate(step.Context);
        recorded.LoadParameters(store, "param/", step);

        var images = recorded.Load("imgs", step);
        var mask = mae.MaskFromNoise(recorded.Load("noise", step), step);
        compare.Exact<int>("ids_keep", step.ToArray<int>(mask.IdsKeep), recorded.Ints("ids_keep"));
        compare.Exact<int>("ids_restore", step.ToArray<int>(mask.IdsRestore), recorded.Ints("ids_restore"));
        compare.Exact<float>("mask", step.ToArray<float>(mask.Mask), recorded.Floats("mask"));

        var seen = mae.Reconstruct(images, mask, step, out var latent, out var lossPerPatch);
        compare.Norm("latent", step.ToArray<float>(latent), recorded.Floats("latent"), Tolerance.Output);
        compare.Norm("pred", step.ToArray<float>(seen.Pred), recorded.Floats("pred"), Tolerance.Output);
        if (recorded.Has("loss_per_patch"))
        {
            compare.Norm("loss_per_patch", step.ToArray<float>(lossPerPatch), recorded.Floats("loss_per_patch"), Tolerance.Output);
        }
        if (recorded.Has("low_freq"))
        {
            compare.Norm("low_freq", step.ToArray<float>(seen.Target), recorded.Floats("low_freq"), Tolerance.Output);
        }

        var loss = step.Empty(DType.F32, 1);
        var dimages = Ops.Filled(0, DType.F32, step, images.Shape);
        mae.TrainStep(loss, images, mask, step, dimages: dimages);
        compare.Relative("loss", step.ToArray<float>(loss), recorded.Floats("loss"), Tolerance.Loss);
        compare.Relative("loss (all patches predicted)", step.ToArray<float>(seen.Loss), recorded.Floats("loss"), Tolerance.Loss);
        LayerCases.CompareGradients(recorded, compare, store, step);
        if (recorded.Has("grad_imgs"))
        {
            compare.Norm("grad_imgs", step.ToArray<float>(dimages), recorded.Floats("grad_imgs"), Tolerance.Gradient);
        }
    }

    /// <summary>The model that a file's settings describe, for images of the given extents (B, C, H, W); PixMIM's with its filter.</summary>
    public static Mae Build(RecordedCase recorded, ParameterStore store, ReadOnlySpan<long> images)
    {
        var grid = new PatchGrid((int)images[2], (int)images[3], (int)images[1], recorded.Integer("patch_size"));
        var ratio = recorded.Number("mlp_ratio");
        var encoder = new VitSettings(
            grid, recorded.Integer("embed_dim"), recorded.Integer("depth"), recorded.Integer("num_heads"), ratio,
            (float)recorded.Number("layer_norm_eps", 1e-6));
        var decoder = new MaeDecoderSettings(
            recorded.Integer("decoder_embed_dim"), recorded.Integer("decoder_depth"), recorded.Integer("decoder_num_heads"), ratio);
        var isPixMim = recorded.Settings.Contains("radius");
        Target target = recorded.Flag(isPixMim ? "norm_pix" : "norm_pix_loss") ? new NormalizedPixels() : new RawPixels();
        if (isPixMim)
        {
            target = new LowPassPixels(
                target, recorded.Number("radius"), LowPassMode.Exact,
                [.. PixMimCase.PerChannel(recorded, "mean")], [.. PixMimCase.PerChannel(recorded, "std")]);
        }
        return new Mae(store.Root, new MaeSettings(encoder, decoder, recorded.Number("mask_ratio"), target));
    }
}
