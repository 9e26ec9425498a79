using MimNative.Interop;
using MimNative.Runtime;

namespace MimNative;

public static unsafe partial class Ops
{
    /// <summary>
    /// Uniform numbers (S, count) in [0, 1) on the device, a row for each sample number in samples (S, i64): functions of
    /// (seed, stream, epoch, sample) alone.
    /// </summary>
    public static Tensor RandomUniform(
        Tensor samples, long count, RandomStream stream, long epoch, long seed, Step step)
    {
        var y = step.Empty(DType.F32, samples[0], count);
        var parameters = new mim_random_params
        {
            size = sizeof(mim_random_params),
            stream = (int)stream,
            epoch = epoch,
            seed = seed,
        };
        Mim.mim_random_uniform(step.Native, View(&y), View(&samples), &parameters);
        return y;
    }

    /// <summary>
    /// MAE's random masking: per image a stable ascending argsort of noise (B, L), whose first <paramref name="keep"/> entries are
    /// kept.
    /// </summary>
    /// <returns>Kept ids (B, K) and removed ids (B, L - K) in shuffle order, the inverse permutation (B, L), and the mask
    /// (B, L), 1 = removed.</returns>
    public static (Tensor IdsKeep, Tensor IdsMasked, Tensor IdsRestore, Tensor Mask) MaskFromNoise(
        Tensor noise, long keep, Step step)
    {
        var idsKeep = step.Empty(DType.I32, noise[0], keep);
        var idsMasked = step.Empty(DType.I32, noise[0], noise[1] - keep);
        var idsRestore = step.Empty(DType.I32, noise[0], noise[1]);
        var mask = step.Empty(DType.F32, noise[0], noise[1]);
        Mim.mim_mask_from_noise(
            step.Native, View(&idsKeep), View(&idsMasked), View(&idsRestore), View(&mask), View(&noise));
        return (idsKeep, idsMasked, idsRestore, mask);
    }
}
