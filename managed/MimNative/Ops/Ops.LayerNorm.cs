using MimNative.Interop;
using MimNative.Runtime;

namespace MimNative;

public static unsafe partial class Ops
{
    /// <summary>
    /// sum = x + branch, y = LayerNorm(sum). x, branch: (R, C); an absent branch makes sum the same tensor as x.
    /// mean and rstd: (R) f32, saved for backward. y is temporary: <see cref="LayerNormAgain"/> makes it anew.
    /// </summary>
    public static Tensor LayerNorm(
        Tensor x, Tensor branch, Tensor gamma, Tensor beta, float eps, Step step,
        out Tensor sum, out Tensor mean, out Tensor rstd)
    {
        var y = step.TemporaryLike(x);
        var total = branch.IsAbsent ? Tensor.None : step.EmptyLike(x);
        var m = step.Empty(DType.F32, x[0]);
        var r = step.Empty(DType.F32, x[0]);
        var parameters = new mim_layer_norm_params { size = sizeof(mim_layer_norm_params), eps = eps };
        Mim.mim_layer_norm_forward(
            step.Native, View(&y), View(&total), View(&m), View(&r), View(&x), View(&branch), View(&gamma), View(&beta),
            &parameters);
        (sum, mean, rstd) = (branch.IsAbsent ? x : total, m, r);
        return y;
    }

    /// <summary>y of <see cref="LayerNorm"/> once more, from what it saved.</summary>
    public static Tensor LayerNormAgain(Tensor sum, Tensor mean, Tensor rstd, Tensor gamma, Tensor beta, Step step)
    {
        var y = step.TemporaryLike(sum);
        Mim.mim_layer_norm_again(step.Native, View(&y), View(&sum), View(&mean), View(&rstd), View(&gamma), View(&beta));
        return y;
    }

    /// <summary>
    /// dx = dsum + LayerNorm's gradient of dy: the gradient of x and of branch alike. dsum is what reaches the sum by the
    /// residual stream; absent for none, else dx takes its memory. Adds to dgamma and dbeta.
    /// </summary>
    public static Tensor LayerNormBackward(
        Tensor dy, Tensor dsum, Tensor sum, Tensor mean, Tensor rstd, Tensor gamma, Tensor dgamma, Tensor dbeta, Step step)
    {
        var dx = dsum.IsAbsent ? step.EmptyLike(sum) : dsum;
        Mim.mim_layer_norm_backward(
            step.Native, View(&dx), View(&dgamma), View(&dbeta), View(&dy), View(&dsum), View(&sum), View(&mean), View(&rstd),
            View(&gamma));
        return dx;
    }
}
