using MimNative.Interop;
using MimNative.Runtime;

namespace MimNative;

public static unsafe partial class Ops
{
    /// <summary>
    /// y = gelu(pre) w2^T + bias2, pre = x w1^T + bias1, into a given y. x: (R, K), w1: (H, K), w2: (N, H), y: (R, N). Returns pre (R, H),
    /// all that backward needs.
    /// </summary>
    public static Tensor Mlp(Tensor y, Tensor x, Tensor w1, Tensor bias1, Tensor w2, Tensor bias2, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        var pre = step.Empty(x.Type, x[0], w1[0]);
        Mim.mim_mlp_forward(
            step.Native, View(&y), View(&pre), View(&x), View(&w1), View(&bias1), View(&w2), View(&bias2));
        return pre;
    }

    /// <summary>Returns dx and adds to dw1, dbias1, dw2 and dbias2.</summary>
    public static Tensor MlpBackward(
        Tensor dy, Tensor x, Tensor pre, Tensor w1, Tensor w2, Tensor dw1, Tensor dbias1, Tensor dw2, Tensor dbias2, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        var dx = step.Empty(x.Type, x[0], x[1]);
        Mim.mim_mlp_backward(
            step.Native, View(&dx), View(&dw1), View(&dbias1), View(&dw2), View(&dbias2), View(&dy), View(&x), View(&pre),
            View(&w1), View(&w2));
        return dx;
    }
}
