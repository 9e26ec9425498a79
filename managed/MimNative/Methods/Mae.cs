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
    private readonly MaskedLossSettings _loss;

    /// <summary>Registers the model's parameters under the upstream names.</summary>
    public Mae(ParameterScope scope, MaeSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        _settings = settings;
        var grid = settings.Encoder.Grid;
        _encoder = new VitEncoder(scope, settings.Encoder);
        _decoder = new MaeDecoder(scope, settings.Decoder, grid, settings.Encoder.Dim, settings.Encoder.Eps);
        _masking = new RandomMasking(settings.MaskRatio, grid.Count);
        _loss = new MaskedLossSettings(
            settings.Loss, grid.Patch, PatchOrder.PixelsFirst, settings.Target.Normalize, settings.LossBeta);
    }

    /// <inheritdoc/>
    public PatchGrid Grid => _settings.Encoder.Grid;

    /// <inheritdoc/>
    public bool NormalizesTarget => _settings.Target.Normalize;

    /// <summary>The encoder, for features without a mask.</summary>
    public VitEncoder Encoder => _encoder;

    /// <inheritdoc/>
    public bool IsEncoder(string parameter)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        return parameter != "mask_token" && !parameter.StartsWith("decoder_", StringComparison.Ordinal);
    }

    /// <inheritdoc/>
    public TokenMask SampleMask(Tensor samples, long seed, long epoch, Step step) =>
        _masking.Sample(samples, seed, epoch, step);

    /// <summary>The mask that noise (B, L) makes: each image keeps the patches of the smallest values.</summary>
    public TokenMask MaskFromNoise(Tensor noise, Step step) => _masking.FromNoise(noise, step);

    /// <inheritdoc/>
    public void TrainStep(
        Tensor loss, Tensor images, in TokenMask mask, Step step, float gradScale = 1, Tensor dimages = default)
    {
        var target = _settings.Target.Of(images, step);                                          // (B, C, H, W)
        var ones = Ops.Filled(1, DType.F32, step, mask.IdsMasked[0], mask.IdsMasked[1]);
        var latent = _encoder.Forward(images, mask, step, out var encoderSaved);                 // visible patches only
        var pred = _decoder.Forward(latent, mask, mask.IdsMasked, step, out var decoderSaved);   // removed patches only

        var dpred = step.EmptyLike(pred);
        Ops.MaskedLoss(
            loss, Tensor.None, dpred, dimages, pred, target, ones, mask.IdsMasked, _loss, gradScale, step);
        var dlatent = _decoder.Backward(dpred, decoderSaved, step);
        _encoder.Backward(dlatent, dimages, encoderSaved, step);
    }

    /// <inheritdoc/>
    public Reconstruction Reconstruct(Tensor images, in TokenMask mask, Step step)
    {
        var target = _settings.Target.Of(images, step);
        var latent = _encoder.Forward(images, mask, step, out _);
        var all = PatchIds.All(images[0], Grid.Count, step);
        var pred = _decoder.Forward(latent, mask, all, step, out _);
        var loss = step.Empty(DType.F32, 1);
        var lossPerPatch = step.Empty(DType.F32, images[0], Grid.Count);
        Ops.MaskedLoss(
            loss, lossPerPatch, Tensor.None, Tensor.None, pred, target, mask.Mask, Tensor.None, _loss, 1, step);
        return new Reconstruction(latent, pred, loss, lossPerPatch);
    }
}
