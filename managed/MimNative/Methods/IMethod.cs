using MimNative.Nn;
using MimNative.Runtime;

namespace MimNative.Methods;

/// <summary>A way of pretraining: how it masks, what its encoder sees, what it predicts, what its loss is.</summary>
public interface IMethod
{
    /// <summary>How images are cut into the patches that are hidden or seen.</summary>
    PatchGrid Grid { get; }

    /// <summary>How predictions make a picture.</summary>
    PredictionLayout Prediction { get; }

    /// <summary>
    /// The name under which a parameter of the encoder, which is what remains after pretraining, is exported; null for all others.
    /// </summary>
    string? EncoderName(string parameter);

    /// <summary>Whether a tensor of an upstream checkpoint stands for nothing in this model and may be left out.</summary>
    bool Ignores(string tensor) => false;

    /// <summary>Forward and backward: writes the loss and adds to the parameters' gradients.</summary>
    /// <param name="loss">(1) f32, made by the caller.</param>
    /// <param name="images">(B, C, H, W) f32, normalised by the dataset's mean and deviation.</param>
    /// <param name="key">What the masks are drawn from, and all else that is random.</param>
    /// <param name="step">The step.</param>
    /// <param name="gradScale">Factor on the gradients: 1 / accumulation steps.</param>
    void TrainStep(Tensor loss, Tensor images, in BatchKey key, Step step, float gradScale = 1);

    /// <summary>What the encoder makes of whole images, of which nothing is hidden: features, after its last LayerNorm.</summary>
    /// <param name="images">(B, C, H, W) f32, normalised.</param>
    /// <param name="step">The step.</param>
    /// <param name="places">Where the tokens stand.</param>
    /// <returns>(B, T, D).</returns>
    Tensor Encode(Tensor images, Step step, out TokenPlaces places);

    /// <summary>A random mask of the method's own kind for one picture: the patches that are hidden.</summary>
    bool[] SampleHidden(in BatchKey key);

    /// <summary>Forward only, every patch of one image predicted: what pictures are made from.</summary>
    Reconstruction Reconstruct(Tensor image, ReadOnlySpan<bool> hidden, Step step);
}

/// <summary>What a forward pass without training tells.</summary>
/// <param name="Pred">(B, M, P): every patch of the prediction's grid, in its order.</param>
/// <param name="Target">(B, C, H / reduction, W / reduction): what should have been predicted, not normalised.</param>
/// <param name="Loss">(1): over the hidden patches.</param>
public readonly record struct Reconstruction(Tensor Pred, Tensor Target, Tensor Loss);

/// <summary>How a method's predictions make a picture.</summary>
/// <param name="Grid">How the image is cut into predicted patches.</param>
/// <param name="Order">Order of the numbers of a patch.</param>
/// <param name="Reduction">Pixels of the image for one of the prediction, in each direction.</param>
/// <param name="Normalized">Whether predictions are of patches normalised by their own statistics.</param>
public readonly record struct PredictionLayout(PatchGrid Grid, PatchOrder Order, int Reduction, bool Normalized)
{
    /// <summary>Side of a predicted patch in predicted pixels.</summary>
    public int Patch => Grid.Patch / Reduction;

    /// <summary>Numbers of a predicted patch.</summary>
    public int PatchSize => Patch * Patch * Grid.Channels;
}
