using System.Globalization;
using MimNative.Encoders;
using MimNative.Masking;
using MimNative.Methods;
using MimNative.Nn;
using MimNative.Runtime;
using MimNative.Targets;

namespace MimNative.Evaluation.Verification;

/// <summary>A whole SimMIM with ViT or Swin: masks, index tables, outputs, loss and every gradient, the images' too.</summary>
internal static class SimMimCase
{
    public static void Check(RecordedCase recorded, Comparisons compare, Step step)
    {
        using var store = new ParameterStore();
        var shape = recorded.Shape("imgs", 4);
        var simMim = Build(recorded, store, shape);
        store.Allocate(step.Context);
        recorded.LoadParameters(store, "param/", step);

        var recordedMask = recorded.Ints("patch_mask");
        if (recorded.Has("mask_perm"))
        {
            var units = (int)recorded.Shape("mask_perm", 2)[1];
            int[] drawn = [.. recorded.Ints("mask_perm").Chunk(units).SelectMany(order => simMim.Masking.FromOrder(order)).Select(h => h ? 1 : 0)];
            compare.Exact<int>("patch_mask", drawn, recordedMask);
        }
        CompareTables(recorded, compare);

        var images = recorded.Load("imgs", step);
        var mask = Mask(simMim, recordedMask, step);
        var seen = simMim.Reconstruct(images, mask, step, out var z);
        compare.Norm("z", step.ToArray<float>(ChannelsFirst(z, shape[0], step)), recorded.Floats("z"), Tolerance.Output);
        var rec = PixelShuffle(seen.Pred, simMim.Prediction, shape, step);
        compare.Norm("rec", step.ToArray<float>(rec), recorded.Floats("rec"), Tolerance.Output);

        var loss = step.Empty(DType.F32, 1);
        var dimages = Ops.Filled(0, DType.F32, step, images.Shape);
        simMim.TrainStep(loss, images, mask, step, dimages: dimages);
        compare.Relative("loss", step.ToArray<float>(loss), recorded.Floats("loss"), Tolerance.Loss);
        compare.Relative("loss (without training)", step.ToArray<float>(seen.Loss), recorded.Floats("loss"), Tolerance.Loss);
        LayerCases.CompareGradients(recorded, compare, store, step);
        if (recorded.Has("grad_imgs"))
        {
            compare.Norm("grad_imgs", step.ToArray<float>(dimages), recorded.Floats("grad_imgs"), Tolerance.Gradient);
        }
    }

    /// <summary>The mask of recorded tokens, (B L) numbers of which 1 is hidden.</summary>
    public static PatchMask Mask(SimMim simMim, int[] tokens, Step step) =>
        simMim.Masking.FromTokens(tokens.Select(t => t == 1).ToArray(), step);

    /// <summary>The model that a file's settings describe, for images of the given extents (B, C, H, W).</summary>
    public static SimMim Build(RecordedCase recorded, ParameterStore store, ReadOnlySpan<long> images)
    {
        var grid = new PatchGrid((int)images[2], (int)images[3], (int)images[1], recorded.Integer("patch_size"));
        var settings = new SimMimSettings(
            MaskKind.Random, recorded.Number("mask_ratio"), recorded.Integer("mask_patch_size"), new RawPixels());
        return new SimMim(
            store.Root, settings,
            encoder => recorded.Settings.Contains("depths")
                ? new SwinEncoder(encoder, Swin(recorded, grid))
                : new VitEncoder(encoder, Vit(recorded, grid)),
            (decoder, encoder) => new LinearHead(
                decoder["0"], encoder.OutputGrid, encoder.OutputDim, encoder.OutputGrid.PatchSize, WeightInits.Convolution,
                isConvolution: true));
    }

    private static VitSettings Vit(RecordedCase recorded, PatchGrid grid)
    {
        bool Flag(string key) => recorded.Settings.Contains(key) && recorded.Flag(key);
        return new VitSettings(
            grid, recorded.Integer("embed_dim"), recorded.Integer("depth"), recorded.Integer("num_heads"),
            recorded.Number("mlp_ratio"), (float)recorded.Number("layer_norm_eps", 1e-6))
        {
            Position = Flag("use_abs_pos_emb") ? PositionKind.Learned : PositionKind.None,
            RelativePosition = (Flag("use_shared_rel_pos_bias"), Flag("use_rel_pos_bias")) switch
            {
                (true, true) => RelativePositionKind.BothBiases,
                (true, false) => RelativePositionKind.SharedBias,
                (false, true) => RelativePositionKind.Bias,
                _ => RelativePositionKind.None,
            },
            MaskToken = MaskTokenKind.Learned,
            KeyBias = false,
            LayerScale = recorded.Number("init_values", 0),
        };
    }

    private static SwinSettings Swin(RecordedCase recorded, PatchGrid grid)
    {
        int[] List(string key) => [.. recorded.Json(key).EnumerateArray().Select(v => v.GetInt32())];
        return new SwinSettings(
            grid, recorded.Integer("embed_dim"), List("depths"), List("num_heads"), recorded.Integer("window_size"),
            recorded.Number("mlp_ratio"), (float)recorded.Number("layer_norm_eps", 1e-5))
        {
            AbsolutePosition = recorded.Settings.Contains("ape") && recorded.Flag("ape"),
            PatchNorm = !recorded.Settings.Contains("patch_norm") || recorded.Flag("patch_norm"),
        };
    }

    // Index tables of relative positions and masks of shifted windows, wherever the file has them.
    private static void CompareTables(RecordedCase recorded, Comparisons compare)
    {
        foreach (var name in recorded.Below("buffer/"))
        {
            if (name.EndsWith("relative_position_index", StringComparison.Ordinal))
            {
                compare.Exact<int>(name, RelativeIndex(recorded, name), recorded.Ints($"buffer/{name}"));
            }
            else if (name.EndsWith("attn_mask", StringComparison.Ordinal))
            {
                compare.Exact<float>(name, Partition(recorded, name).Mask(), recorded.Floats($"buffer/{name}"));
            }
        }
    }

    private static int[] RelativeIndex(RecordedCase recorded, string name)
    {
        if (name.Contains("layers.", StringComparison.Ordinal))
        {
            var side = Partition(recorded, name).Window;
            return RelativePositionBias.Index(side, side, classToken: false);
        }
        var (shape, patch) = (recorded.Shape("imgs"), recorded.Integer("patch_size"));
        return RelativePositionBias.Index((int)shape[^2] / patch, (int)shape[^1] / patch, classToken: true);
    }

    // encoder.layers.{stage}.blocks.{block}.*
    private static WindowPartition Partition(RecordedCase recorded, string name)
    {
        var parts = name.Split('.');
        int stage = int.Parse(parts[2], CultureInfo.InvariantCulture), block = int.Parse(parts[4], CultureInfo.InvariantCulture);
        var patch = recorded.Integer("patch_size") << stage;
        var shape = recorded.Shape("imgs");
        return WindowPartition.OfBlock(
            (int)shape[^2] / patch, (int)shape[^1] / patch, recorded.Integer("window_size"), block);
    }

    // (B M, D) as (B, D, M).
    private static Tensor ChannelsFirst(Tensor rows, long batch, Step step)
    {
        var tokens = rows.Reshape(batch, -1, rows[1]);
        var turned = step.Empty(DType.F32, batch, tokens[2], tokens[1]);
        Ops.Copy(turned, tokens.Permute(0, 2, 1), step);
        return turned;
    }

    // Predicted patches (B, M, P) as images: upstream's pixel shuffle, which is a patchify read backwards.
    private static Tensor PixelShuffle(Tensor pred, in PredictionLayout layout, ReadOnlySpan<long> images, Step step)
    {
        var pictures = Ops.Filled(0, DType.F32, step, images);
        Ops.PatchifyBackward(pictures, pred, Tensor.None, layout.Patch, layout.Order, step);
        return pictures;
    }
}
