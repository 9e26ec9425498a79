using MimNative.Interop;
using MimNative.Runtime;

namespace MimNative;

public static unsafe partial class Ops
{
    /// <summary>y = x w^T + bias. x: (R, K), w: (N, K), bias: (N) or absent; y: (R, N).</summary>
    public static Tensor Linear(Tensor x, Tensor w, Tensor bias, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        var y = step.Empty(x.Type, x[0], w[0]);
        Linear(y, x, w, bias, step);
        return y;
    }

    /// <summary>The same into a given y.</summary>
    public static void Linear(Tensor y, Tensor x, Tensor w, Tensor bias, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        Mim.mim_linear_forward(step.Native, View(&y), View(&x), View(&w), View(&bias));
    }

    /// <summary>Backward of <see cref="Linear(Tensor, Tensor, Tensor, Step)"/>: returns dx (absent where not wanted) and adds to dw and dbias.</summary>
    public static Tensor LinearBackward(
        Tensor dy, Tensor x, Tensor w, Tensor dw, Tensor dbias, Step step, bool wantInput = true)
    {
        ArgumentNullException.ThrowIfNull(step);
        var dx = wantInput ? step.Empty(x.Type, x[0], x[1]) : Tensor.None;
        Mim.mim_linear_backward(step.Native, View(&dx), View(&dw), View(&dbias), View(&dy), View(&x), View(&w));
        return dx;
    }
}
