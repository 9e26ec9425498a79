using MimNative.Encoders;
using MimNative.Masking;
using MimNative.Nn;
using MimNative.Runtime;
using MimNative.Targets;

namespace MimNative.Methods;

/// <summary>Settings of <see cref="Mae"/>.</summary>
/// <param name="Encoder">Sizes of the encoder.</param>
/// <param name="Decoder">Sizes of the decoder.</param>
/// <param name="MaskRatio">Share of the patches that is removed.</param>
/// <param name="Target">What is reconstructed.</param>
/// <param name="Loss">The error of a pixel.</param>
/// <param name="LossBeta">Of smooth L1.</param>
public sealed record MaeSettings(
    VitSettings Encoder, MaeDecoderSettings Decoder, double MaskRatio, Target Target,
    LossKind Loss = LossKind.L2, float LossBeta = 1);

/// <summary>
/// Masked autoencoders (He et al. 2022). Images are cut into patches and a random share is removed; the encoder sees the rest; a
/// light decoder, given mask tokens in the removed places, predicts the removed pixels; the loss is the mean squared error over
/// removed patches, by default against pixels normalised per patch.
/// </summary>
public sealed class Mae : IMethod
{
    private readonly MaeSettings _settings;
    private readonly VitEncoder _encoder;
    private readonly MaeDecoder _decoder;
    private readonly RandomMasking _masking;
    private readonly TokenOrder _all;
    private readonly MaskedLossSettings _loss;

    /// <summary>Registers the model's parameters under the upstream names.</summary>
    public Mae(ParameterScope scope, MaeSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        _settings = settings;
        var target = settings.Target;
        Prediction = new PredictionLayout(settings.Encoder.Grid, PatchOrder.PixelsFirst, target.Reduction, target.Normalize);
        _encoder = new VitEncoder(scope, settings.Encoder);
        _decoder = new MaeDecoder(scope, settings.Decoder, Grid, settings.Encoder.Dim, settings.Encoder.Eps, Prediction.PatchSize);
        _all = TokenOrder.All(Grid.Count);
        _masking = new RandomMasking(settings.MaskRatio, Grid.Count);
        _loss = new MaskedLossSettings(
            settings.Loss, Prediction.Patch, PatchOrder.PixelsFirst, target.Normalize, settings.LossBeta);
    }

    /// <inheritdoc/>
    public PatchGrid Grid => _settings.Encoder.Grid;

    /// <inheritdoc/>
    public PredictionLayout Prediction { get; }

    /// <summary>The encoder, for features without a mask.</summary>
    public VitEncoder Encoder => _encoder;

    /// <inheritdoc/>
    public string? EncoderName(string parameter)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        return parameter == "mask_token" || parameter.StartsWith("decoder_", StringComparison.Ordinal) ? null : parameter;
    }

    /// <inheritdoc/>
    public void TrainStep(Tensor loss, Tensor images, in BatchKey key, Step step, float gradScale = 1) =>
        TrainStep(loss, images, _masking.Sample(key, step), step, gradScale, key: key);

    /// <summary>The same with a given mask; the gradient of the images is added to dimages (B, C, H, W) where it is given.</summary>
    public void TrainStep(
        Tensor loss, Tensor images, in TokenMask mask, Step step, float gradScale = 1, Tensor dimages = default,
        in BatchKey? key = null)
    {
        var target = _settings.Target.Of(images, step);                                          // (B, C, H, W)
        var ones = Ops.Filled(1, DType.F32, step, mask.IdsMasked[0], mask.IdsMasked[1]);
        var latent = _encoder.Forward(images, mask, key, step, out var encoderSaved);            // visible patches only
        var pred = _decoder.Forward(latent, mask, mask.IdsMasked, step, out var decoderSaved);   // removed patches only

        var dpred = step.EmptyLike(pred);
        var dtarget = _settings.Target.IsInput ? dimages : Tensor.None;
        Ops.MaskedLoss(
            loss, Tensor.None, dpred, dtarget, pred, target, ones, mask.IdsMasked, _loss, gradScale, step);
        var dlatent = _decoder.Backward(dpred, decoderSaved, step);
        _encoder.Backward(dlatent, dimages, encoderSaved, step);
    }

    /// <summary>The mask that noise (B, L) makes: each image keeps the patches of the smallest values.</summary>
    public TokenMask MaskFromNoise(Tensor noise, Step step) => _masking.FromNoise(noise, step);

    /// <inheritdoc/>
    public bool[] SampleHidden(in BatchKey key) => _masking.SampleHidden(key);

    /// <inheritdoc/>
    public Reconstruction Reconstruct(Tensor image, ReadOnlySpan<bool> hidden, Step step) =>
        Reconstruct(image, HandMadeMask.FromPatches(hidden, (int)image[0], step), step, out _, out _);

    /// <summary>The same with a given mask; tells the encoder's tokens (B, 1 + K, D) and the error of every patch (B, L) too.</summary>
    public Reconstruction Reconstruct(
        Tensor images, in TokenMask mask, Step step, out Tensor latent, out Tensor lossPerPatch)
    {
        var target = _settings.Target.Of(images, step);
        latent = _encoder.Forward(images, mask, key: null, step, out _);
        var all = _all.Ids(images[0], step);
        var pred = _decoder.Forward(latent, mask, all, step, out _);
        var loss = step.Empty(DType.F32, 1);
        lossPerPatch = step.Empty(DType.F32, images[0], Grid.Count);
        Ops.MaskedLoss(
            loss, lossPerPatch, Tensor.None, Tensor.None, pred, target, mask.Mask, Tensor.None, _loss, 1, step);
        return new Reconstruction(pred, target, loss);
    }
}
