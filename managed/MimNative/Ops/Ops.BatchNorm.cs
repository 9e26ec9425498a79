using MimNative.Interop;
using MimNative.Runtime;

namespace MimNative;

/// <summary>Settings of <see cref="Ops.BatchNorm"/>.</summary>
/// <param name="Training">Whether the batch's own statistics are taken, not the running ones.</param>
/// <param name="Eps">Inside the square root.</param>
/// <param name="Momentum">How far the running statistics move towards the batch's.</param>
public readonly record struct BatchNormSettings(bool Training, float Eps, float Momentum = 0.1f);

public static unsafe partial class Ops
{
    /// <summary>
    /// y = (x - mean) rstd gamma + beta for each column. x: (R, C); gamma, beta: (C) or absent. In training mean and variance are the
    /// batch's, and runningMean and runningVar (C; absent where nobody keeps them) move towards them; otherwise they are those two.
    /// mean and rstd: (C) f32, saved for backward.
    /// </summary>
    public static Tensor BatchNorm(
        Tensor x, Tensor gamma, Tensor beta, Tensor runningMean, Tensor runningVar, in BatchNormSettings settings, Step step,
        out Tensor mean, out Tensor rstd)
    {
        ArgumentNullException.ThrowIfNull(step);
        var y = step.EmptyLike(x);
        var m = step.Empty(DType.F32, x[-1]);
        var r = step.Empty(DType.F32, x[-1]);
        var parameters = BatchNormParameters(settings);
        Mim.mim_batch_norm_forward(
            step.Native, View(&y), View(&m), View(&r), View(&runningMean), View(&runningVar), View(&x), View(&gamma), View(&beta),
            &parameters);
        (mean, rstd) = (m, r);
        return y;
    }

    /// <summary>
    /// Backward of <see cref="BatchNorm"/> with its settings: returns dx (absent where not wanted) and adds to dgamma and dbeta
    /// (absent: not wanted).
    /// </summary>
    public static Tensor BatchNormBackward(
        Tensor dy, Tensor x, Tensor mean, Tensor rstd, Tensor gamma, Tensor dgamma, Tensor dbeta, in BatchNormSettings settings,
        Step step, bool wantInput = true)
    {
        ArgumentNullException.ThrowIfNull(step);
        var dx = wantInput ? step.EmptyLike(x) : Tensor.None;
        var parameters = BatchNormParameters(settings);
        Mim.mim_batch_norm_backward(
            step.Native, View(&dx), View(&dgamma), View(&dbeta), View(&dy), View(&x), View(&mean), View(&rstd), View(&gamma),
            &parameters);
        return dx;
    }

    private static mim_batch_norm_params BatchNormParameters(in BatchNormSettings settings) => new()
    {
        size = sizeof(mim_batch_norm_params),
        training = settings.Training ? 1 : 0,
        eps = settings.Eps,
        momentum = settings.Momentum,
    };
}
