using MimNative.Interop;
using MimNative.Runtime;

namespace MimNative;

/// <summary>What attention knows of where tokens stand. All parts are optional; <c>default</c> is no position at all.</summary>
/// <param name="Bias">
/// (H, T, S) f32, added to the scores: one per head, shared by images and windows (Swin's and BEiT's relative position bias).
/// </param>
/// <param name="Windows">
/// (W, T) i32: the tokens of each window of an image, each token of the W T exactly once. Attention then runs inside each window.
/// </param>
/// <param name="Mask">(W, T, T) f32, only with windows: added to the scores of each window (Swin's shift mask). No gradient.</param>
/// <param name="Table">
/// (D, U) f32 with <paramref name="Buckets"/>: q table[:, buckets[i, j]] is added to the score of i and j, q without the scale
/// (contextual relative position encoding on keys, Wu et al. 2021, as in LoMaR).
/// </param>
/// <param name="Buckets">(T, S) i32: the column of the table for each pair.</param>
public readonly record struct AttentionPosition(Tensor Bias, Tensor Windows, Tensor Mask, Tensor Table, Tensor Buckets);

public static unsafe partial class Ops
{
    /// <summary>
    /// softmax(scale q k^T + what <paramref name="position"/> adds) v, per head. q: (B, T, H, D), k, v: (B, S, H, D), any strides
    /// but a dense last axis; with windows T = S counts the tokens of the whole image. lse: (B, H, T) f32, saved for backward.
    /// Returns (B, T, H, D), dense.
    /// </summary>
    public static Tensor Attention(
        Tensor q, Tensor k, Tensor v, in AttentionPosition position, float scale, Step step, out Tensor lse)
    {
        var y = step.Empty(q.Type, q[0], q[1], q[2], q[3]);
        var saved = step.Empty(DType.F32, q[0], q[2], q[1]);
        var (bias, windows, mask, table, buckets) = position;
        var parameters = new mim_attention_params { size = sizeof(mim_attention_params), scale = scale };
        Mim.mim_attention_forward(
            step.Native, View(&y), View(&saved), View(&q), View(&k), View(&v), View(&bias), View(&windows), View(&mask),
            View(&table), View(&buckets), &parameters);
        lse = saved;
        return y;
    }

    /// <summary>
    /// Writes dq, dk and dv (views with the extents of q, k and v) and adds to dbias and dtable (absent: not wanted).
    /// </summary>
    public static void AttentionBackward(
        Tensor dq, Tensor dk, Tensor dv, Tensor dbias, Tensor dtable, Tensor dy, Tensor q, Tensor k, Tensor v,
        in AttentionPosition position, Tensor y, Tensor lse, float scale, Step step)
    {
        var (bias, windows, mask, table, buckets) = position;
        var parameters = new mim_attention_params { size = sizeof(mim_attention_params), scale = scale };
        Mim.mim_attention_backward(
            step.Native, View(&dq), View(&dk), View(&dv), View(&dbias), View(&dtable), View(&dy), View(&q), View(&k), View(&v),
            View(&bias), View(&windows), View(&mask), View(&table), View(&buckets), View(&y), View(&lse), &parameters);
    }
}
