using MimNative.Masking;
using MimNative.Nn;
using MimNative.Runtime;

namespace MimNative.Methods;

/// <summary>A way of pretraining: how it masks, what its encoder sees, what it predicts, what its loss is.</summary>
public interface IMethod
{
    /// <summary>How images are cut into patches.</summary>
    PatchGrid Grid { get; }

    /// <summary>Whether predictions are of pixels normalised per patch, so that pictures need the patches' statistics.</summary>
    bool NormalizesTarget { get; }

    /// <summary>Whether a parameter belongs to the encoder, which is what remains after pretraining.</summary>
    bool IsEncoder(string parameter);

    /// <summary>Masks for the samples of a batch (B, i64): a function of (seed, epoch, sample) alone.</summary>
    TokenMask SampleMask(Tensor samples, long seed, long epoch, Step step);

    /// <summary>Forward and backward: writes the loss and adds to the parameters' gradients.</summary>
    /// <param name="loss">(1) f32, made by the caller.</param>
    /// <param name="images">(B, C, H, W) f32, normalised by the dataset's mean and deviation.</param>
    /// <param name="mask">What is removed.</param>
    /// <param name="step">The step.</param>
    /// <param name="gradScale">Factor on the gradients: 1 / accumulation steps.</param>
    /// <param name="dimages">(B, C, H, W) f32: the images' gradient is added to it, through the encoder and through the target;
    /// absent where it is not wanted.</param>
    void TrainStep(
        Tensor loss, Tensor images, in TokenMask mask, Step step, float gradScale = 1, Tensor dimages = default);

    /// <summary>Forward only, every patch predicted: what pictures are made from.</summary>
    Reconstruction Reconstruct(Tensor images, in TokenMask mask, Step step);
}

/// <summary>What a forward pass without training tells.</summary>
/// <param name="Latent">The encoder's tokens (B, 1 + K, D).</param>
/// <param name="Pred">(B, L, P): every patch, pixels first.</param>
/// <param name="Loss">(1): over the removed patches.</param>
/// <param name="LossPerPatch">(B, L): the mean error of every patch.</param>
public readonly record struct Reconstruction(Tensor Latent, Tensor Pred, Tensor Loss, Tensor LossPerPatch);
