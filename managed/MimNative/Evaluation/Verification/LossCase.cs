using System.Globalization;
using MimNative.Export;
using MimNative.Runtime;

namespace MimNative.Evaluation.Verification;

/// <summary>Masked losses: every kind, with and without normalised patches, in MAE's form and in SimMIM's.</summary>
internal static class LossCase
{
    public static void Check(RecordedCase recorded, Comparisons compare, Step step)
    {
        var images = recorded.Load("imgs", step, recorded.Shape("imgs", 4));
        var mask = recorded.Load("mask", step, recorded.Shape("mask", 2));
        var patch = recorded.Integer("patch");
        CheckPatches(recorded, compare, images, patch, step);

        var kinds = recorded.Tensors
            .Where(t => t.EndsWith("/loss", StringComparison.Ordinal) && t.Split('/').Length == 3)
            .Select(t => t[..^"/loss".Length]);
        foreach (var form in kinds)
        {
            var (kind, beta) = Kind(form.Split('/')[0]);
            var normalize = form.EndsWith("/normpix", StringComparison.Ordinal);
            var settings = new MaskedLossSettings(kind, patch, PatchOrder.PixelsFirst, normalize, beta);
            var pred = recorded.Load("pred", step);
            var loss = step.Empty(DType.F32, 1);
            var lossPerPatch = step.EmptyLike(mask);
            var dpred = step.EmptyLike(pred);
            Ops.MaskedLoss(
                loss, lossPerPatch, dpred, Tensor.None, pred, images, mask, Tensor.None, settings, 1, step);
            compare.Relative($"{form}/loss", step.ToArray<float>(loss), recorded.Floats($"{form}/loss"), Tolerance.Loss);
            compare.Norm(
                $"{form}/loss_per_patch", step.ToArray<float>(lossPerPatch), recorded.Floats($"{form}/loss_per_patch"),
                Tolerance.Output);
            compare.Norm($"{form}/dpred", step.ToArray<float>(dpred), recorded.Floats($"{form}/dpred"), Tolerance.Gradient);
        }
        if (recorded.Has("simmim/rec"))
        {
            CheckSimMim(recorded, compare, images, mask, patch, step);
        }
    }

    // Patches, their statistics, and the normalised patches.
    private static void CheckPatches(RecordedCase recorded, Comparisons compare, Tensor images, int patch, Step step)
    {
        var patches = Ops.Patchify(images, Tensor.None, patch, PatchOrder.PixelsFirst, DType.F32, step);
        compare.Norm("patches", step.ToArray<float>(patches), recorded.Floats("patches"), Tolerance.Output);
        var statistics = PatchStatistics.Of(step.ToArray<float>(patches), (int)patches[2]);
        compare.Norm("patch_mean", statistics.Mean, recorded.Floats("patch_mean"), Tolerance.Output);
        compare.Norm("patch_var_unbiased", statistics.Variance, recorded.Floats("patch_var_unbiased"), Tolerance.Output);
        compare.Norm("patches_norm", statistics.Normalize(step.ToArray<float>(patches)), recorded.Floats("patches_norm"), Tolerance.Output);
    }

    // SimMIM's form: predictions are images, which are patches with the channels first.
    private static void CheckSimMim(
        RecordedCase recorded, Comparisons compare, Tensor images, Tensor mask, int patch, Step step)
    {
        var settings = new MaskedLossSettings(
            LossKind.L1, patch, PatchOrder.ChannelsFirst, Normalize: false, MaskEpsilon: 1e-5f);
        var pred = Ops.Patchify(
            recorded.Load("simmim/rec", step), Tensor.None, patch, PatchOrder.ChannelsFirst, DType.F32, step);
        var loss = step.Empty(DType.F32, 1);
        var dpred = step.EmptyLike(pred);
        Ops.MaskedLoss(loss, Tensor.None, dpred, Tensor.None, pred, images, mask, Tensor.None, settings, 1, step);
        var drec = Ops.Filled(0, DType.F32, step, images.Shape);
        Ops.PatchifyBackward(drec, dpred, Tensor.None, patch, PatchOrder.ChannelsFirst, step);
        compare.Relative("simmim/loss", step.ToArray<float>(loss), recorded.Floats("simmim/loss"), Tolerance.Loss);
        compare.Norm("simmim/drec", step.ToArray<float>(drec), recorded.Floats("simmim/drec"), Tolerance.Gradient);
        Ops.MaskedLoss(
            loss, Tensor.None, Tensor.None, Tensor.None, pred, images, Ops.Filled(0, DType.F32, step, mask.Shape),
            Tensor.None, settings, 1, step);
        compare.Absolute(
            "simmim/loss_empty_mask", step.ToArray<float>(loss), recorded.Floats("simmim/loss_empty_mask"), 0);
    }

    // "l2", "l1", "smooth_l1_beta0p5"
    private static (LossKind Kind, float Beta) Kind(string name)
    {
        const string smooth = "smooth_l1_beta";
        if (name.StartsWith(smooth, StringComparison.Ordinal) &&
            float.TryParse(
                name[smooth.Length..].Replace('p', '.'), NumberStyles.Float, CultureInfo.InvariantCulture, out var beta))
        {
            return (LossKind.SmoothL1, beta);
        }
        return name switch
        {
            "l2" => (LossKind.L2, 1),
            "l1" => (LossKind.L1, 1),
            _ => throw new InvalidFileException($"loss '{name}' is none of l1, l2, smooth_l1_beta..."),
        };
    }
}
