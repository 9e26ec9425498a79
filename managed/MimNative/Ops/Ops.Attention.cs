using MimNative.Interop;
using MimNative.Runtime;

namespace MimNative;

public static unsafe partial class Ops
{
    /// <summary>
    /// softmax(scale q k^T + bias) v, per head. q: (B, T, H, D), k, v: (B, S, H, D), any strides but a dense last axis;
    /// bias: (H, T, S) f32 or absent. lse: (B, H, T) f32, saved for backward. Returns (B, T, H, D), dense.
    /// </summary>
    public static Tensor Attention(Tensor q, Tensor k, Tensor v, Tensor bias, float scale, Step step, out Tensor lse)
    {
        var y = step.Empty(q.Type, q[0], q[1], q[2], q[3]);
        var saved = step.Empty(DType.F32, q[0], q[2], q[1]);
        var parameters = new mim_attention_params { size = sizeof(mim_attention_params), scale = scale };
        Mim.mim_attention_forward(
            step.Native, View(&y), View(&saved), View(&q), View(&k), View(&v), View(&bias), &parameters);
        lse = saved;
        return y;
    }

    /// <summary>Writes dq, dk and dv (views with the extents of q, k and v) and adds to dbias (absent: not wanted).</summary>
    public static void AttentionBackward(
        Tensor dq, Tensor dk, Tensor dv, Tensor dbias, Tensor dy, Tensor q, Tensor k, Tensor v, Tensor bias, Tensor y,
        Tensor lse, float scale, Step step)
    {
        var parameters = new mim_attention_params { size = sizeof(mim_attention_params), scale = scale };
        Mim.mim_attention_backward(
            step.Native, View(&dq), View(&dk), View(&dv), View(&dbias), View(&dy), View(&q), View(&k), View(&v), View(&bias),
            View(&y), View(&lse), &parameters);
    }
}
