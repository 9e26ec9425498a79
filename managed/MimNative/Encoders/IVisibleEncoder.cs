using MimNative.Masking;
using MimNative.Nn;
using MimNative.Runtime;

namespace MimNative.Encoders;

/// <summary>An encoder that a mask leaves the visible patches of: what MAE puts to use.</summary>
public interface IVisibleEncoder
{
    /// <summary>How images are cut into the patches that are kept or removed.</summary>
    PatchGrid Grid { get; }

    /// <summary>Channels of a token that comes out.</summary>
    int OutputDim { get; }

    /// <summary>Whether a class token comes out before the patches.</summary>
    bool HasClassToken { get; }

    /// <summary>The tokens of the visible patches, (B, E + K, D) with E = 1 where there is a class token; all patches without a mask.</summary>
    /// <param name="images">(B, C, H, W) f32.</param>
    /// <param name="mask">Which patches are visible; default for all.</param>
    /// <param name="key">What stochastic depth is drawn from.</param>
    /// <param name="step">The step.</param>
    /// <param name="saved">What Backward needs.</param>
    Tensor ForwardVisible(Tensor images, in TokenMask mask, in BatchKey? key, Step step, out object saved);

    /// <summary>Adds to the parameters' gradients, and to <paramref name="dimages"/> (B, C, H, W) where it is given.</summary>
    void BackwardVisible(Tensor dlatent, Tensor dimages, object saved, Step step);
}
