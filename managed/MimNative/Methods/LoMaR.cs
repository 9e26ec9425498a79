using MimNative.Encoders;
using MimNative.Masking;
using MimNative.Nn;
using MimNative.Runtime;
using MimNative.Targets;

namespace MimNative.Methods;

/// <summary>Settings of <see cref="LoMaR"/>.</summary>
/// <param name="Encoder">Sizes of the encoder; window and mask token are set by the method.</param>
/// <param name="Window">Side of a window in patches.</param>
/// <param name="Windows">Windows of an image.</param>
/// <param name="MaskRatio">Share of a window that is hidden.</param>
/// <param name="Target">What is predicted.</param>
/// <param name="SharedWindows">Whether a batch draws its windows once, as upstream does.</param>
/// <param name="MaskToken">What stands in place of a hidden patch.</param>
/// <param name="Loss">The error of a pixel.</param>
/// <param name="LossBeta">Of smooth L1.</param>
public sealed record LoMaRSettings(
    VitSettings Encoder, int Window, int Windows, double MaskRatio, Target Target, bool SharedWindows = true,
    MaskTokenKind MaskToken = MaskTokenKind.Learned, LossKind Loss = LossKind.L2, float LossBeta = 1);

/// <summary>
/// LoMaR (Chen et al. 2022). Small windows are drawn at random places of an image and most of each is hidden; the encoder sees each window
/// for itself, visible and mask tokens in raster order, with contextual relative positions and no absolute ones; a linear layer predicts
/// the hidden patches, normalised as in MAE. Patches outside the windows are never embedded.
/// </summary>
public sealed class LoMaR : IMethod
{
    private readonly WindowMasking _masking;
    private readonly VitEncoder _encoder;
    private readonly IPredictionHead _head;
    private readonly LoMaRSettings _settings;
    private readonly TokenOrder _all;
    private readonly MaskedLossSettings _loss;

    /// <summary>Registers the model's parameters under the upstream names.</summary>
    /// <param name="scope">The root of the names.</param>
    /// <param name="settings">The settings.</param>
    /// <param name="head">Makes the head in the scope <c>encoder_pred</c>.</param>
    public LoMaR(ParameterScope scope, LoMaRSettings settings, Func<ParameterScope, VitEncoder, IPredictionHead> head)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(head);
        _settings = settings;
        var (grid, window, target) = (settings.Encoder.Grid, settings.Window, settings.Target);
        if (window < 2 || window > Math.Min(grid.Rows, grid.Columns))
        {
            throw new ArgumentException(
                $"a window of {window} x {window} patches does not fit a grid of {grid.Rows} x {grid.Columns}", nameof(settings));
        }
        _masking = new WindowMasking(
            grid.Rows, grid.Columns, window, settings.Windows, settings.MaskRatio, settings.SharedWindows);
        _all = TokenOrder.All(_masking.Size);
        _encoder = new VitEncoder(scope, settings.Encoder with { Window = (window, window), MaskToken = settings.MaskToken });
        _head = head(scope["encoder_pred"], _encoder);
        Prediction = new PredictionLayout(grid, PatchOrder.PixelsFirst, target.Reduction, target.Normalize);
        _loss = new MaskedLossSettings(
            settings.Loss, Prediction.Patch, PatchOrder.PixelsFirst, target.Normalize, settings.LossBeta);
    }

    /// <inheritdoc/>
    public PatchGrid Grid => _settings.Encoder.Grid;

    /// <inheritdoc/>
    public PredictionLayout Prediction { get; }

    /// <summary>How images are masked.</summary>
    public WindowMasking Masking => _masking;

    /// <inheritdoc/>
    public string? EncoderName(string parameter)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        return parameter == "mask_token" || parameter.StartsWith("encoder_pred", StringComparison.Ordinal) ? null : parameter;
    }

    /// <summary>Upstream allocates sine-cosine positions and does not use them.</summary>
    public bool Ignores(string tensor) => tensor == "pos_embed";

    /// <inheritdoc/>
    public void TrainStep(Tensor loss, Tensor images, in BatchKey key, Step step, float gradScale = 1) =>
        TrainStep(loss, images, _masking.Sample(key, step), step, gradScale, key: key);

    /// <summary>The same with a given mask; the gradient of the images is added to dimages (B, C, H, W) where it is given.</summary>
    public void TrainStep(
        Tensor loss, Tensor images, in WindowMask mask, Step step, float gradScale = 1, Tensor dimages = default,
        in BatchKey? key = null)
    {
        var target = _settings.Target.Of(images, step);                                          // (N, C, H, W)
        var ones = Ops.Filled(1, DType.F32, step, mask.PatchesMasked[0], mask.PatchesMasked[1]);
        var tokens = new VitTokens(mask.IdsVisible, Tensor.None, mask.IdsRestore, _masking.Windows, Asked: mask.IdsMasked);
        var hidden = _encoder.Forward(images, tokens, key, step, out var encoderSaved);          // (N W, M, D)
        var pred = _head.Forward(hidden.Rows(), images[0], step, out var headSaved).Reshape(images[0], ones[1], -1);

        var dpred = step.EmptyLike(pred);
        var dtarget = _settings.Target.IsInput ? dimages : Tensor.None;
        Ops.MaskedLoss(
            loss, Tensor.None, dpred, dtarget, pred, target, ones, mask.PatchesMasked, _loss, gradScale, step);
        var dhidden = _head.Backward(dpred.Rows(), headSaved, step).Reshape(hidden[0], hidden[1], hidden[2]);
        _encoder.Backward(dhidden, dimages, encoderSaved, step);
    }

    /// <summary>Predictions of every patch of every window (N W, S, P).</summary>
    public Tensor Predict(Tensor images, in WindowMask mask, Step step) =>
        PredictAll(images, new VitTokens(mask.IdsVisible, Tensor.None, mask.IdsRestore, _masking.Windows), step);

    /// <summary>The whole image as one window, with the buckets of all its offsets: as upstream fine-tunes.</summary>
    public Tensor Encode(Tensor images, Step step, out TokenPlaces places)
    {
        places = TokenPlaces.Of(Grid, classToken: true);
        return _encoder.Forward(images, step);
    }

    /// <summary>As many patches of a whole picture as are hidden of a window, at random.</summary>
    public bool[] SampleHidden(in BatchKey key) => RandomMasking.Hidden(
        key, Grid.Count, MaskCounts.LoMaRMasked(Grid.Count, _settings.MaskRatio));

    /// <summary>The picture is completed in windows side by side, each seen for itself as in training.</summary>
    public Reconstruction Reconstruct(Tensor image, ReadOnlySpan<bool> hidden, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        var tiles = _masking.Tiles();
        int[] ids = [.. tiles.SelectMany(tile => Enumerable.Range(0, _masking.Size).Select(i => _masking.Patch(tile, i)))];
        float[] mask = [.. hidden.ToArray().Select(h => h ? 1f : 0f)];
        float[] inside = [.. ids.Select(id => mask[id])];
        var patches = PredictAll(
            image,
            new VitTokens(
                step.FromHost<int>(ids, 1, ids.Length), step.FromHost<float>(inside, tiles.Count, _masking.Size), Tensor.None, tiles.Count),
            step);
        // The windows at the grid's edge overlap their neighbours: the first that holds a patch predicts it.
        int[] first = [.. Enumerable.Range(0, Grid.Count).Select(patch => Array.IndexOf(ids, patch))];
        var pred = Ops.GatherTokens(
            patches.Reshape(1, ids.Length, -1), step.FromHost<int>(first, 1, first.Length), first: 0, step);
        var target = _settings.Target.Of(image, step);
        var loss = step.Empty(DType.F32, 1);
        Ops.MaskedLoss(
            loss, Tensor.None, Tensor.None, Tensor.None, pred, target,
            step.FromHost<float>(mask, 1, mask.Length), Tensor.None, _loss, 1, step);
        return new Reconstruction(pred, target, loss);
    }

    private Tensor PredictAll(Tensor images, in VitTokens tokens, Step step)
    {
        var latent = _encoder.Forward(images, tokens, key: null, step, out _);
        var all = Ops.GatherTokens(latent, _all.Ids(latent[0], step), first: 1, step);
        return _head.Forward(all.Rows(), images[0], step, out _).Reshape(all[0], all[1], -1);
    }
}
