using MimNative.Encoders;
using MimNative.Masking;
using MimNative.Nn;
using MimNative.Runtime;
using MimNative.Targets;

namespace MimNative.Methods;

/// <summary>Settings of <see cref="SimMim"/>.</summary>
/// <param name="Mask">How mask patches are chosen.</param>
/// <param name="MaskRatio">Share of the image that is hidden.</param>
/// <param name="MaskPatch">Side of a mask patch in pixels: a multiple of the encoder's patch.</param>
/// <param name="Target">What is predicted.</param>
/// <param name="Loss">The error of a pixel.</param>
/// <param name="LossBeta">Of smooth L1.</param>
/// <param name="AllPixels">Whether the loss counts visible pixels too.</param>
public sealed record SimMimSettings(
    MaskKind Mask, double MaskRatio, int MaskPatch, Target Target, LossKind Loss = LossKind.L1, float LossBeta = 1,
    bool AllPixels = false);

/// <summary>
/// SimMIM (Xie et al. 2022), in the text's four parts. Masking: mask patches larger than the encoder's patches are hidden at random.
/// Encoder: sees a mask token in each hidden place. Head: one linear layer predicts the pixels of each token. Target: raw pixels, the mean
/// absolute error over hidden ones.
/// </summary>
public sealed class SimMim : IMethod
{
    // Beside the count of hidden pixels (upstream's): nothing hidden gives the loss 0.
    private const float MaskEpsilon = 1e-5f;

    private readonly BlockMasking _masking;
    private readonly IMaskedEncoder _encoder;
    private readonly IPredictionHead _head;
    private readonly Target _target;
    private readonly MaskedLossSettings _loss;

    // Only hidden patches are predicted where the loss asks for no others, each by its own token, and for equally many in every image.
    private readonly bool _predictsHidden;

    /// <summary>Registers the model's parameters under the upstream names: <c>encoder.*</c>, <c>decoder.*</c>.</summary>
    /// <param name="scope">The root of the names.</param>
    /// <param name="settings">The settings.</param>
    /// <param name="encoder">Makes the encoder.</param>
    /// <param name="head">Makes the head for the encoder.</param>
    public SimMim(
        ParameterScope scope, SimMimSettings settings, Func<ParameterScope, IMaskedEncoder> encoder,
        Func<ParameterScope, IMaskedEncoder, IPredictionHead> head)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(encoder);
        ArgumentNullException.ThrowIfNull(head);
        _target = settings.Target;
        _encoder = encoder(scope["encoder"]);
        _head = head(scope["decoder"], _encoder);
        if (settings.MaskPatch % Grid.Patch != 0)
        {
            throw new ArgumentException(
                $"mask patches of {settings.MaskPatch} pixels are no multiple of the encoder's patches of {Grid.Patch}", nameof(settings));
        }
        // The loss weighs cells as fine as the tokens and the predictions are, but no finer than the target's pixels.
        var cell = Math.Max(_target.Reduction, Math.Min(Grid.Patch, _head.Grid.Patch));
        _masking = new BlockMasking(
            settings.Mask, settings.MaskRatio, Grid.Rows, Grid.Columns, settings.MaskPatch / Grid.Patch, (double)cell / Grid.Patch,
            settings.AllPixels);
        _predictsHidden = !settings.AllPixels && settings.Mask != MaskKind.Block && _encoder.AnswersPatches && _head.IsPerToken;
        Prediction = new PredictionLayout(_head.Grid, PatchOrder.ChannelsFirst, _target.Reduction, _target.Normalize);
        _loss = new MaskedLossSettings(
            settings.Loss, Prediction.Patch, PatchOrder.ChannelsFirst, _target.Normalize, settings.LossBeta, MaskEpsilon);
    }

    /// <inheritdoc/>
    public PatchGrid Grid => _encoder.Grid;

    /// <inheritdoc/>
    public PredictionLayout Prediction { get; }

    /// <summary>How images are masked.</summary>
    public BlockMasking Masking => _masking;

    /// <inheritdoc/>
    public string? EncoderName(string parameter)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        const string Prefix = "encoder.";
        return parameter.StartsWith(Prefix, StringComparison.Ordinal) && parameter != Prefix + "mask_token"
            ? parameter[Prefix.Length..]
            : null;
    }

    /// <inheritdoc/>
    public void TrainStep(Tensor loss, Tensor images, in BatchKey key, Step step, float gradScale = 1) =>
        TrainStep(loss, images, _masking.Sample(key, step), step, gradScale, key: key);

    /// <summary>The same with a given mask; the gradient of the images is added to dimages (B, C, H, W) where it is given.</summary>
    public void TrainStep(
        Tensor loss, Tensor images, in PatchMask mask, Step step, float gradScale = 1, Tensor dimages = default,
        in BatchKey? key = null)
    {
        var target = _target.Of(images, step);                                                  // (B, C, H, W)
        var asked = _predictsHidden ? mask.Hidden : Tensor.None;
        var weights = asked.IsAbsent ? mask.Pixels : Ops.Filled(1, DType.F32, step, asked[0], asked[1]);
        var z = _encoder.ForwardMasked(images, mask.Tokens, asked, key, step, out var encoderSaved);  // (B M, D)
        var pred = Predict(z, images[0], step, out var headSaved);                              // (B, M, P)

        var dpred = step.EmptyLike(pred);
        var dtarget = _target.IsInput ? dimages : Tensor.None;
        Ops.MaskedLoss(
            loss, Tensor.None, dpred, dtarget, pred, target, weights, asked, _loss, gradScale, step);
        var dz = _head.Backward(dpred.Rows(), headSaved, step);
        _encoder.BackwardMasked(dz, dimages, encoderSaved, step);
    }

    /// <inheritdoc/>
    public Tensor Encode(Tensor images, Step step, out TokenPlaces places)
    {
        places = TokenPlaces.Of(_encoder.OutputGrid, classToken: false);
        return _encoder.ForwardMasked(images, Tensor.None, Tensor.None, key: null, step, out _).Reshape(images[0], -1, _encoder.OutputDim);
    }

    /// <inheritdoc/>
    public bool[] SampleHidden(in BatchKey key) => _masking.SampleHidden(key);

    /// <inheritdoc/>
    public Reconstruction Reconstruct(Tensor image, ReadOnlySpan<bool> hidden, Step step) =>
        Reconstruct(image, _masking.FromTokens(hidden, step), step, out _);

    /// <summary>The same with a given mask; tells the encoder's tokens (B M, D) too.</summary>
    public Reconstruction Reconstruct(Tensor images, in PatchMask mask, Step step, out Tensor z)
    {
        var target = _target.Of(images, step);
        z = _encoder.ForwardMasked(images, mask.Tokens, Tensor.None, key: null, step, out _);
        var pred = Predict(z, images[0], step, out _);
        var loss = step.Empty(DType.F32, 1);
        Ops.MaskedLoss(
            loss, Tensor.None, Tensor.None, Tensor.None, pred, target, mask.Pixels, Tensor.None, _loss, 1, step);
        return new Reconstruction(pred, target, loss);
    }

    private Tensor Predict(Tensor z, long batch, Step step, out object saved) =>
        _head.Forward(z, batch, step, out saved).Reshape(batch, -1, Prediction.PatchSize);
}
