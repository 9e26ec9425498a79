using MimNative.Runtime;

namespace MimNative.Targets;

/// <summary>
/// What a method reconstructs. Any target goes with any method: the target is an image of the input's extents, or of a whole part of
/// them, and the loss reads its patches, normalised where the target says so.
/// </summary>
public abstract class Target
{
    /// <summary>Whether each patch is normalised by its own mean and unbiased variance (MAE, section 3, "reconstruction target").</summary>
    public abstract bool Normalize { get; }

    /// <summary>Pixels of the input for one of the target, in each direction.</summary>
    public virtual int Reduction => 1;

    /// <summary>Whether the target is the input itself, so that the loss has a gradient of it too. Others are held fixed.</summary>
    public virtual bool IsInput => false;

    /// <summary>The target images (B, C, H / Reduction, W / Reduction) of a batch of images.</summary>
    public abstract Tensor Of(Tensor images, Step step);
}

/// <summary>The pixels as they are.</summary>
public sealed class RawPixels : Target
{
    /// <inheritdoc/>
    public override bool Normalize => false;

    /// <inheritdoc/>
    public override bool IsInput => true;

    /// <inheritdoc/>
    public override Tensor Of(Tensor images, Step step) => images;
}

/// <summary>The pixels, each patch normalised: MAE's default.</summary>
public sealed class NormalizedPixels : Target
{
    /// <inheritdoc/>
    public override bool Normalize => true;

    /// <inheritdoc/>
    public override bool IsInput => true;

    /// <inheritdoc/>
    public override Tensor Of(Tensor images, Step step) => images;
}
