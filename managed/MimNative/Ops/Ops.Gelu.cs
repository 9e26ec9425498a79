using MimNative.Interop;
using MimNative.Runtime;

namespace MimNative;

public static unsafe partial class Ops
{
    /// <summary>y = 0.5 x (1 + erf(x / sqrt 2)), exact.</summary>
    public static Tensor Gelu(Tensor x, Step step)
    {
        var y = step.EmptyLike(x);
        Mim.mim_gelu_forward(step.Native, View(&y), View(&x));
        return y;
    }

    /// <summary>dx = dy (Phi(x) + x phi(x)).</summary>
    public static Tensor GeluBackward(Tensor dy, Tensor x, Step step)
    {
        var dx = step.EmptyLike(x);
        Mim.mim_gelu_backward(step.Native, View(&dx), View(&dy), View(&x));
        return dx;
    }
}
