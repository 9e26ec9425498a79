using MimNative.Runtime;

namespace MimNative.Targets;

/// <summary>Pixels at a lower resolution, averages over squares (SimMIM, section 4.3: targets from 12² to 192² for images of 192²).</summary>
/// <param name="pixels">What becomes of the averages.</param>
/// <param name="factor">Side of a square; divides the image's sides.</param>
public sealed class ReducedPixels(Target pixels, int factor) : Target
{
    /// <inheritdoc/>
    public override bool Normalize => pixels.Normalize;

    /// <inheritdoc/>
    public override int Reduction => factor * pixels.Reduction;

    /// <inheritdoc/>
    public override Tensor Of(Tensor images, Step step) => pixels.Of(Ops.ReduceImages(images, factor, step), step);
}
