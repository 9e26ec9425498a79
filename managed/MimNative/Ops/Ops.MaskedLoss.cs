using System.Text.Json.Serialization;
using MimNative.Interop;
using MimNative.Runtime;

namespace MimNative;

/// <summary>The error that a reconstruction loss takes of each pixel; the values are the ABI's.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<LossKind>))]
public enum LossKind
{
    /// <summary>e².</summary>
    [JsonStringEnumMemberName("l2")] L2 = (int)mim_loss_kind.MIM_LOSS_L2,

    /// <summary>|e|.</summary>
    [JsonStringEnumMemberName("l1")] L1 = (int)mim_loss_kind.MIM_LOSS_L1,

    /// <summary>e²/2β below β, |e| - β/2 above.</summary>
    [JsonStringEnumMemberName("smooth_l1")] SmoothL1 = (int)mim_loss_kind.MIM_LOSS_SMOOTH_L1,
}

/// <summary>Settings of <see cref="Ops.MaskedLoss"/>.</summary>
/// <param name="Kind">The error of a pixel.</param>
/// <param name="Patch">Patch height and width.</param>
/// <param name="Order">How predictions are laid out.</param>
/// <param name="Normalize">Whether each target patch is normalised by its own mean and unbiased variance.</param>
/// <param name="Beta">Of smooth L1.</param>
/// <param name="MaskEpsilon">Added to the count of masked pixels: 0 in MAE, 1e-5 in SimMIM.</param>
public readonly record struct MaskedLossSettings(
    LossKind Kind, int Patch, PatchOrder Order, bool Normalize, float Beta = 1, float MaskEpsilon = 0)
{
    /// <summary>Inside the square root of the normalisation (MAE: 1e-6).</summary>
    public const float NormalizeEps = 1e-6f;
}

public static unsafe partial class Ops
{
    /// <summary>
    /// The masked reconstruction loss and its gradient in one pass. pred: (B, M, P); target: images (B, C, H, W); mask: (B, M),
    /// or, without ids, (B, h, w): a weight for each cell of H/h x W/w pixels, whole cells to a patch; ids: (B, M), the patch that
    /// each row predicts, may repeat, absent for all in order. Writes loss (1) and, where given, lossPerPatch (B, M), the mean
    /// error whatever the mask, and dpred; adds to dtarget (B, C, H, W) where given. Gradients are multiplied by gradScale.
    /// </summary>
    public static void MaskedLoss(
        Tensor loss, Tensor lossPerPatch, Tensor dpred, Tensor dtarget, Tensor pred, Tensor target, Tensor mask, Tensor ids,
        in MaskedLossSettings settings, float gradScale, Step step)
    {
        var parameters = new mim_masked_loss_params
        {
            size = sizeof(mim_masked_loss_params),
            kind = (int)settings.Kind,
            patch_height = settings.Patch,
            patch_width = settings.Patch,
            order = (int)settings.Order,
            normalize = settings.Normalize ? 1 : 0,
            normalize_eps = MaskedLossSettings.NormalizeEps,
            beta = settings.Beta,
            mask_epsilon = settings.MaskEpsilon,
            grad_scale = gradScale,
        };
        Mim.mim_masked_loss(
            step.Native, View(&loss), View(&lossPerPatch), View(&dpred), View(&dtarget), View(&pred), View(&target),
            View(&mask), View(&ids), &parameters);
    }
}
