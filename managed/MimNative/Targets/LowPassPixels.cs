using MimNative.Runtime;

namespace MimNative.Targets;

/// <summary>
/// PixMIM's low-frequency target (Liu et al. 2023, section 4.1): the pixels behind an ideal low-pass filter, then as
/// <paramref name="pixels"/> has them. Goes with any method.
/// </summary>
/// <param name="pixels">What becomes of the filtered pixels.</param>
/// <param name="radius">Bandwidth in frequency bins: 40 at 224 pixels.</param>
/// <param name="mode">Upstream's disc of frequencies, half a bin off the centre, or the symmetric one.</param>
/// <param name="mean">Mean per channel that images were normalised with.</param>
/// <param name="std">Deviation per channel that images were normalised with.</param>
public sealed class LowPassPixels(Target pixels, double radius, LowPassMode mode, float[] mean, float[] std) : Target
{
    /// <inheritdoc/>
    public override bool Normalize => pixels.Normalize;

    /// <inheritdoc/>
    public override int Reduction => pixels.Reduction;

    /// <inheritdoc/>
    public override Tensor Of(Tensor images, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        var filtered = Ops.LowPass(
            images, step.Resident(mean, mean.Length), step.Resident(std, std.Length), (float)radius, mode, step);
        return pixels.Of(filtered, step);
    }
}
