using MimNative.Nn;
using MimNative.Runtime;

namespace MimNative.Encoders;

/// <summary>An encoder that sees whole images with mask tokens in the hidden places: what SimMIM puts to use.</summary>
public interface IMaskedEncoder
{
    /// <summary>How images are cut into the tokens that go in.</summary>
    PatchGrid Grid { get; }

    /// <summary>How images would be cut into the tokens that come out: the same or coarser.</summary>
    PatchGrid OutputGrid { get; }

    /// <summary>Channels of a token that comes out.</summary>
    int OutputDim { get; }

    /// <summary>Whether single patches may be asked for; it needs as many tokens out as in.</summary>
    bool AnswersPatches { get; }

    /// <summary>The tokens (B M, D): of the patches that are asked for, or all, row-major over the output grid.</summary>
    /// <param name="images">(B, C, H, W) f32.</param>
    /// <param name="mask">(B, L) f32: 1 where a token is replaced by the mask token.</param>
    /// <param name="asked">(B, M) i32: the patches whose tokens are wanted; absent for all.</param>
    /// <param name="key">What stochastic depth is drawn from.</param>
    /// <param name="step">The step.</param>
    /// <param name="saved">What Backward needs.</param>
    Tensor ForwardMasked(Tensor images, Tensor mask, Tensor asked, in BatchKey? key, Step step, out object saved);

    /// <summary>Adds to the parameters' gradients, and to <paramref name="dimages"/> (B, C, H, W) where it is given.</summary>
    void BackwardMasked(Tensor dtokens, Tensor dimages, object saved, Step step);
}
