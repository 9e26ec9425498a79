using MimNative.Interop;
using MimNative.Runtime;

namespace MimNative;

/// <content>Pixels to the values that a network reads.</content>
public static unsafe partial class Ops
{
    /// <summary>
    /// Pixels (B, H, W, C) of bytes as (B, C, H, W) f32: each (pixel / 255 - mean) / std of its channel. The same numbers on every device.
    /// </summary>
    /// <param name="pixels">Bytes.</param>
    /// <param name="mean">(C).</param>
    /// <param name="std">(C), above 0.</param>
    /// <param name="step">The step.</param>
    public static Tensor NormalizeImages(Tensor pixels, Tensor mean, Tensor std, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        var y = step.Empty(DType.F32, pixels[0], pixels[3], pixels[1], pixels[2]);
        Mim.mim_normalize_images(step.Native, View(&y), View(&pixels), View(&mean), View(&std));
        return y;
    }
}
