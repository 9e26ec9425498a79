using MimNative.Interop;
using MimNative.Runtime;

namespace MimNative;

public static unsafe partial class Ops
{
    /// <summary>
    /// y[r,c] = x[r,c] gamma[c] sampleScale[r / (R/S)]: LayerScale and stochastic depth on a residual branch. x: (R, C); gamma: (C)
    /// f32 or absent; sampleScale: (S) f32 or absent, S divides R; at least one is given. y may be x.
    /// </summary>
    public static void LayerScale(Tensor y, Tensor x, Tensor gamma, Tensor sampleScale, Step step)
    {
        Mim.mim_layer_scale_forward(step.Native, View(&y), View(&x), View(&gamma), View(&sampleScale));
    }

    /// <summary>
    /// The gradient of x; adds to dgamma (absent: not wanted). x is the saved value, absent where dgamma is.
    /// </summary>
    public static Tensor LayerScaleBackward(
        Tensor dy, Tensor x, Tensor gamma, Tensor sampleScale, Tensor dgamma, Step step)
    {
        var dx = step.EmptyLike(dy);
        Mim.mim_layer_scale_backward(
            step.Native, View(&dx), View(&dgamma), View(&dy), View(&x), View(&gamma), View(&sampleScale));
        return dx;
    }
}
