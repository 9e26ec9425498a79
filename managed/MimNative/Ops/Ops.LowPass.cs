using System.Text.Json.Serialization;
using MimNative.Interop;
using MimNative.Runtime;

namespace MimNative;

/// <summary>Which frequencies an ideal low pass keeps; the values are the ABI's.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<LowPassMode>))]
public enum LowPassMode
{
    /// <summary>The disc of PixMIM's published code, half a bin off frequency 0 where a size is even.</summary>
    [JsonStringEnumMemberName("exact")] Exact = (int)mim_low_pass_mode.MIM_LOW_PASS_EXACT,

    /// <summary>A disc around frequency 0: about a fifth less time.</summary>
    [JsonStringEnumMemberName("symmetric")] Symmetric = (int)mim_low_pass_mode.MIM_LOW_PASS_SYMMETRIC,
}

public static unsafe partial class Ops
{
    /// <summary>
    /// Images (B, C, H, W) without their high frequencies: back to the range of the picture by mean and std (C), filtered with an
    /// ideal low pass of this radius in frequencies, its magnitude, and normalised again.
    /// </summary>
    public static Tensor LowPass(Tensor images, Tensor mean, Tensor std, float radius, LowPassMode mode, Step step)
    {
        var y = step.EmptyLike(images);
        var parameters = new mim_low_pass_params
        {
            size = sizeof(mim_low_pass_params),
            mode = (int)mode,
            radius = radius,
        };
        Mim.mim_low_pass(step.Native, View(&y), View(&images), View(&mean), View(&std), &parameters);
        return y;
    }
}
