using MimNative.Encoders;
using MimNative.Methods;
using MimNative.Nn;
using MimNative.Runtime;
using MimNative.Targets;

namespace MimNative.Evaluation.Verification;

/// <summary>
/// A whole MAE, ConvMAE or LSMAE, with PixMIM's target or its own: masks, outputs, loss and every gradient, the images' too.
/// </summary>
internal static class MaeCase
{
    public static void Check(RecordedCase recorded, Comparisons compare, Step step)
    {
        using var store = new ParameterStore();
        var mae = Build(recorded, store, recorded.Shape("imgs", 4));
        store.Allocate(step.Context);
        recorded.LoadParameters(store, "param/", step);

        var images = recorded.Load("imgs", step);
        var mask = recorded.Has("mask_unit_perm")
            ? mae.Masking.FromUnitOrders(recorded.Ints("mask_unit_perm"), step)
            : mae.Masking.FromNoise(recorded.Load("noise", step), step);
        int[] keep = step.ToArray<int>(mask.IdsKeep);
        compare.Exact<int>("ids_keep", keep, recorded.Ints("ids_keep"));
        if (recorded.Has("ids_shuffle"))
        {
            compare.Exact<int>(
                "ids_shuffle", TokenCase.Shuffle(keep, step.ToArray<int>(mask.IdsMasked), (int)images[0]), recorded.Ints("ids_shuffle"));
        }
        compare.Exact<int>("ids_restore", step.ToArray<int>(mask.IdsRestore), recorded.Ints("ids_restore"));
        compare.Exact<float>("mask", step.ToArray<float>(mask.Mask), recorded.Floats("mask"));

        var seen = mae.Reconstruct(images, mask, step, out var latent, out var lossPerPatch);
        compare.Norm("latent", step.ToArray<float>(latent), recorded.Floats("latent"), Tolerance.Output);
        ComparePredictions(recorded, compare, seen.Pred, step);
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
        var isConvMae = recorded.Name == "convmae";
        var ratios = isConvMae ? recorded.Numbers("mlp_ratio") : [recorded.Number("mlp_ratio")];
        var isPixMim = recorded.Settings.Contains("radius");
        Target target = recorded.Flag(isPixMim ? "norm_pix" : "norm_pix_loss") ? new NormalizedPixels() : new RawPixels();
        if (isPixMim)
        {
            target = new LowPassPixels(
                target, recorded.Number("radius"), LowPassMode.Exact,
                [.. PixMimCase.PerChannel(recorded, "mean")], [.. PixMimCase.PerChannel(recorded, "std")]);
        }
        var keyBias = !recorded.Settings.Contains("no_k_bias_in_vit") || !recorded.Flag("no_k_bias_in_vit");
        var decoder = new MaeDecoderSettings(
            recorded.Integer("decoder_embed_dim"), recorded.Integer("decoder_depth"), recorded.Integer("decoder_num_heads"), ratios[0])
        {
            KeyBias = keyBias,
            Eps = isConvMae ? 1e-6f : (float)recorded.Number("layer_norm_eps", 1e-6),
            Downsampling = (int)recorded.Number("decoder_downsampling", 1),
            PredictionDownsampling = (int)recorded.Number("pred_downsampling", 1),
        };
        var settings = new MaeSettings(
            decoder, recorded.Number("mask_ratio"), target, MaskDownsampling: (int)recorded.Number("mask_downsampling", 1));
        var (height, width, channels) = ((int)images[2], (int)images[3], (int)images[1]);
        return new Mae(store.Root, settings, scope => isConvMae
            ? new ConvVitEncoder(scope, ConvVit(recorded, height, width, channels, ratios))
            : new VitEncoder(scope, new VitSettings(
                new PatchGrid(height, width, channels, recorded.Integer("patch_size")), recorded.Integer("embed_dim"),
                recorded.Integer("depth"), recorded.Integer("num_heads"), ratios[0], decoder.Eps)
            {
                KeyBias = keyBias,
            }));
    }

    private static ConvVitSettings ConvVit(RecordedCase recorded, int height, int width, int channels, double[] ratios)
    {
        double[] patches = recorded.Numbers("patch_size"), dims = recorded.Numbers("embed_dim"), depths = recorded.Numbers("depth");
        if (patches.Length != 3 || dims.Length != 3 || depths.Length != 3 || ratios.Length != 3)
        {
            throw new NotSupportedException("patch_size, embed_dim, depth and mlp_ratio should name 3 stages each");
        }
        ConvVitStage Stage(int i) => new((int)patches[i], (int)dims[i], (int)depths[i], ratios[i]);
        var patch = (int)(patches[0] * patches[1] * patches[2]);
        return new ConvVitSettings(
            new PatchGrid(height, width, channels, patch), Stage(0), Stage(1), Stage(2), recorded.Integer("num_heads"));
    }

    // A file of large images holds the first patches' predictions only.
    private static void ComparePredictions(RecordedCase recorded, Comparisons compare, Tensor pred, Step step)
    {
        if (recorded.Has("pred"))
        {
            compare.Norm("pred", step.ToArray<float>(pred), recorded.Floats("pred"), Tolerance.Output);
            return;
        }
        var name = recorded.Tensors.First(t => t.StartsWith("pred_first", StringComparison.Ordinal));
        var shape = recorded.Shape(name, 3);
        float[] all = step.ToArray<float>(pred);
        var (image, first) = ((int)(pred[1] * pred[2]), (int)(shape[1] * shape[2]));
        compare.Norm(
            name,
            [.. Enumerable.Range(0, (int)shape[0]).SelectMany(b => all.AsSpan(b * image, first).ToArray())],
            recorded.Floats(name), Tolerance.Output);
    }
}
