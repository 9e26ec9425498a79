using MimNative.Interop;
using MimNative.Runtime;

namespace MimNative;

public static unsafe partial class Ops
{
    /// <summary>y = x w^T + bias. x: (R, K), w: (N, K), bias: (N) or absent; y: (R, N).</summary>
    public static Tensor Linear(Tensor x, Tensor w, Tensor bias, Step step)
    {
        var y = step.Empty(x.Type, x[0], w[0]);
        var parameters = LinearParams(mim_activation.MIM_ACTIVATION_NONE);
        Mim.mim_linear_forward(step.Native, View(&y), null, View(&x), View(&w), View(&bias), &parameters);
        return y;
    }

    /// <summary>y = gelu(pre), pre = x w^T + bias; pre is saved for backward.</summary>
    public static Tensor LinearGelu(Tensor x, Tensor w, Tensor bias, Step step, out Tensor pre)
    {
        var y = step.Empty(x.Type, x[0], w[0]);
        var saved = step.EmptyLike(y);
        var parameters = LinearParams(mim_activation.MIM_ACTIVATION_GELU);
        Mim.mim_linear_forward(step.Native, View(&y), View(&saved), View(&x), View(&w), View(&bias), &parameters);
        pre = saved;
        return y;
    }

    /// <summary>
    /// Backward of <see cref="Linear"/> and, where pre is given, of <see cref="LinearGelu"/>: returns dx (absent where not wanted)
    /// and adds to dw and dbias.
    /// </summary>
    public static Tensor LinearBackward(
        Tensor dy, Tensor x, Tensor w, Tensor pre, Tensor dw, Tensor dbias, Step step, bool wantInput = true)
    {
        var dx = wantInput ? step.Empty(x.Type, x[0], x[1]) : Tensor.None;
        var parameters = LinearParams(
            pre.IsAbsent ? mim_activation.MIM_ACTIVATION_NONE : mim_activation.MIM_ACTIVATION_GELU);
        Mim.mim_linear_backward(
            step.Native, View(&dx), View(&dw), View(&dbias), View(&dy), View(&x), View(&w), View(&pre), &parameters);
        return dx;
    }

    private static mim_linear_params LinearParams(mim_activation activation) =>
        new() { size = sizeof(mim_linear_params), activation = (int)activation };
}
