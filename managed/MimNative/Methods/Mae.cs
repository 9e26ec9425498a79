using MimNative.Encoders;
using MimNative.Masking;
using MimNative.Nn;
using MimNative.Runtime;
using MimNative.Targets;

namespace MimNative.Methods;

/// <summary>Settings of <see cref="Mae"/>.</summary>
/// <param name="Decoder">Sizes of the decoder.</param>
/// <param name="MaskRatio">Share of the patches that is removed.</param>
/// <param name="Target">What is reconstructed.</param>
/// <param name="Loss">The error of a pixel.</param>
/// <param name="LossBeta">Of smooth L1.</param>
/// <param name="MaskDownsampling">Side in patches of the squares that are kept or removed together (LSMAE): 1 for a patch each.</param>
public sealed record MaeSettings(
    MaeDecoderSettings Decoder, double MaskRatio, Target Target, LossKind Loss = LossKind.L2, float LossBeta = 1,
    int MaskDownsampling = 1);

/// <summary>
/// Masked autoencoders (He et al. 2022). Images are cut into patches and a random share is removed; the encoder sees the rest; a
/// light decoder, given mask tokens in the removed places, predicts the removed pixels; the loss is the mean squared error over
/// removed patches, by default against pixels normalised per patch. With a convolutional encoder it is ConvMAE (Gao et al. 2022), with
/// masks of joint patches LSMAE (Hu et al. 2022).
/// </summary>
public sealed class Mae : IMethod
{
    private readonly IVisibleEncoder _encoder;
    private readonly MaeDecoder _decoder;
    private readonly RandomMasking _masking;
    private readonly Target _target;
    private readonly MaskedLossSettings _loss;

    /// <summary>Registers the model's parameters under the upstream names.</summary>
    /// <param name="scope">The root of the names.</param>
    /// <param name="settings">The settings.</param>
    /// <param name="encoder">Makes the encoder.</param>
    public Mae(ParameterScope scope, MaeSettings settings, Func<ParameterScope, IVisibleEncoder> encoder)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(encoder);
        _target = settings.Target;
        _encoder = encoder(scope);
        _decoder = new MaeDecoder(
            scope, settings.Decoder, Grid, _encoder.OutputDim, _encoder.HasClassToken, _target.Reduction);
        Prediction = new PredictionLayout(_decoder.Grid, PatchOrder.PixelsFirst, _target.Reduction, _target.Normalize);
        _masking = new RandomMasking(settings.MaskRatio, new MaskUnits(Grid.Rows, Grid.Columns, settings.MaskDownsampling));
        _loss = new MaskedLossSettings(
            settings.Loss, Prediction.Patch, PatchOrder.PixelsFirst, _target.Normalize, settings.LossBeta);
    }

    /// <inheritdoc/>
    public PatchGrid Grid => _encoder.Grid;

    /// <inheritdoc/>
    public PredictionLayout Prediction { get; }

    /// <summary>How images are masked.</summary>
    public RandomMasking Masking => _masking;

    /// <summary>The encoder, for features without a mask.</summary>
    public IVisibleEncoder Encoder => _encoder;

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
        var target = _target.Of(images, step);                                                   // (B, C, H, W)
        var asked = _decoder.AnswersPatches ? mask.IdsMasked : Tensor.None;                      // the removed patches, if it can
        var weights = asked.IsAbsent ? Weights(mask, step) : Ops.Filled(1, DType.F32, step, asked[0], asked[1]);
        var latent = _encoder.ForwardVisible(images, mask, key, step, out var encoderSaved);     // visible patches only
        var pred = _decoder.Forward(latent, mask, asked, step, out var decoderSaved);

        var dpred = step.EmptyLike(pred);
        var dtarget = _target.IsInput ? dimages : Tensor.None;
        Ops.MaskedLoss(loss, Tensor.None, dpred, dtarget, pred, target, weights, asked, _loss, gradScale, step);
        var dlatent = _decoder.Backward(dpred, decoderSaved, step);
        _encoder.BackwardVisible(dlatent, dimages, encoderSaved, step);
    }

    /// <inheritdoc/>
    public Tensor Encode(Tensor images, Step step, out TokenPlaces places)
    {
        places = TokenPlaces.Of(Grid, _encoder.HasClassToken);
        return _encoder.ForwardVisible(images, default, key: null, step, out _);
    }

    /// <inheritdoc/>
    public bool[] SampleHidden(in BatchKey key) => _masking.SampleHidden(key);

    /// <inheritdoc/>
    public Reconstruction Reconstruct(Tensor image, ReadOnlySpan<bool> hidden, Step step) =>
        Reconstruct(image, HandMadeMask.FromPatches(hidden, (int)image[0], step), step, out _, out _);

    /// <summary>
    /// The same with a given mask; tells the encoder's tokens (B, E + K, D) and the error of every predicted patch (B, M) too.
    /// </summary>
    public Reconstruction Reconstruct(
        Tensor images, in TokenMask mask, Step step, out Tensor latent, out Tensor lossPerPatch)
    {
        var target = _target.Of(images, step);
        latent = _encoder.ForwardVisible(images, mask, key: null, step, out _);
        var pred = _decoder.Forward(latent, mask, Tensor.None, step, out _);
        var loss = step.Empty(DType.F32, 1);
        lossPerPatch = step.Empty(DType.F32, pred[0], pred[1]);
        Ops.MaskedLoss(
            loss, lossPerPatch, Tensor.None, Tensor.None, pred, target, Weights(mask, step), Tensor.None, _loss, 1, step);
        return new Reconstruction(pred, target, loss);
    }

    // What a predicted patch counts, (B, M): the share of it that was removed.
    private Tensor Weights(in TokenMask mask, Step step)
    {
        var side = _decoder.Grid.Patch / Grid.Patch;
        return side == 1
            ? mask.Mask
            : Ops.ReduceImages(mask.Mask.Reshape(-1, 1, Grid.Rows, Grid.Columns), side, step).Reshape(mask.Mask[0], -1);
    }
}
