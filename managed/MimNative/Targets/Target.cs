using MimNative.Runtime;

namespace MimNative.Targets;

/// <summary>
/// What a method reconstructs. Any target goes with any method: the target is an image of the input's extents, and the loss reads
/// its patches, normalised where the target says so.
/// </summary>
public abstract class Target
{
    /// <summary>Whether each patch is normalised by its own mean and unbiased variance (MAE, section 3, "reconstruction target").</summary>
    public abstract bool Normalize { get; }

    /// <summary>The target images (B, C, H, W) of a batch of images.</summary>
    public abstract Tensor Of(Tensor images, Step step);
}

/// <summary>The pixels as they are.</summary>
public sealed class RawPixels : Target
{
    /// <inheritdoc/>
    public override bool Normalize => false;

    /// <inheritdoc/>
    public override Tensor Of(Tensor images, Step step) => images;
}

/// <summary>The pixels, each patch normalised: MAE's default.</summary>
public sealed class NormalizedPixels : Target
{
    /// <inheritdoc/>
    public override bool Normalize => true;

    /// <inheritdoc/>
    public override Tensor Of(Tensor images, Step step) => images;
}
