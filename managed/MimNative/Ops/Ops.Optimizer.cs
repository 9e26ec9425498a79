using System.Runtime.InteropServices;
using MimNative.Interop;
using MimNative.Runtime;

namespace MimNative;

/// <summary>A run of parameters in the flat buffers that share their settings; the layout is the ABI's.</summary>
/// <param name="Offset">First element.</param>
/// <param name="Count">Elements.</param>
/// <param name="WeightDecay">0 for parameters that do not decay.</param>
/// <param name="LrScale">Factor on the learning rate; 1 unless layers decay.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct OptimizerSegment(long Offset, long Count, float WeightDecay, float LrScale);

public static unsafe partial class Ops
{
    /// <summary>How many scalars <see cref="AdamWStep"/> reads: learning rate, 1 - β1^t, 1 - β2^t.</summary>
    public const int AdamWScalars = (int)mim_adamw_scalar.MIM_ADAMW_SCALARS;

    /// <summary>
    /// One AdamW update of the flat vectors, clipped by gradNorm where maxNorm is above 0; zeroes the gradients. rounded: the new values
    /// in bf16, or absent. A gradNorm that is
    /// not finite changes nothing but the gradients.
    /// </summary>
    public static void AdamWStep(
        Tensor values, Tensor moment1, Tensor moment2, Tensor rounded, Tensor grads, Tensor gradNorm, Tensor scalars,
        ReadOnlySpan<OptimizerSegment> segments, float beta1, float beta2, float eps, float maxNorm, Step step)
    {
        var parameters = new mim_adamw_params
        {
            size = sizeof(mim_adamw_params),
            beta1 = beta1,
            beta2 = beta2,
            eps = eps,
            max_norm = maxNorm,
        };
        fixed (OptimizerSegment* first = segments)
        {
            Mim.mim_adamw_step(
                step.Native, View(&values), View(&moment1), View(&moment2), View(&rounded), View(&grads), View(&gradNorm),
                View(&scalars), (mim_segment*)first, segments.Length, &parameters);
        }
    }

    /// <summary>norm (1) = the L2 norm of the gradients, the same bits whatever the thread count.</summary>
    public static void GradientNorm(Tensor norm, Tensor grads, Step step) =>
        Mim.mim_gradient_norm(step.Native, View(&norm), View(&grads));
}
