using MimNative.Interop;
using MimNative.Runtime;

namespace MimNative;

public static unsafe partial class Ops
{
    /// <summary>
    /// Masked depthwise convolution of token maps, zeros around them, stride 1:
    /// y[b,i,j,c] = bias[c] + sum_{p,q} w[c,p,q] keep[b,i+p-r,j+q-r] x[b,i+p-r,j+q-r,c] with r = (k - 1) / 2. x: (B, H, W, C);
    /// w: (C, k, k) f32, k odd and at most 11; bias: (C) f32 or absent; keep: (B, H, W) f32 or absent. Returns (B, H, W, C).
    /// </summary>
    public static Tensor DepthwiseConv(Tensor x, Tensor w, Tensor bias, Tensor keep, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        var y = step.EmptyLike(x);
        var parameters = DepthwiseConvParameters(w);
        Mim.mim_depthwise_conv_forward(step.Native, View(&y), View(&x), View(&w), View(&bias), View(&keep), &parameters);
        return y;
    }

    /// <summary>
    /// Backward of <see cref="DepthwiseConv"/>: returns dx (absent where not wanted) and adds to dw and dbias (absent: not wanted).
    /// </summary>
    public static Tensor DepthwiseConvBackward(
        Tensor dy, Tensor x, Tensor w, Tensor keep, Tensor dw, Tensor dbias, Step step, bool wantInput = true)
    {
        ArgumentNullException.ThrowIfNull(step);
        var dx = wantInput ? step.EmptyLike(x) : Tensor.None;
        var parameters = DepthwiseConvParameters(w);
        Mim.mim_depthwise_conv_backward(
            step.Native, View(&dx), View(&dw), View(&dbias), View(&dy), View(&x), View(&w), View(&keep), &parameters);
        return dx;
    }

    private static mim_depthwise_conv_params DepthwiseConvParameters(Tensor w) =>
        new() { size = sizeof(mim_depthwise_conv_params), kernel = (int)w[-1] };
}
