using MimNative.Masking;
using MimNative.Nn;
using MimNative.Runtime;

namespace MimNative.Methods;

/// <summary>Sizes of a MAE decoder.</summary>
/// <param name="Dim">Channels of a token.</param>
/// <param name="Depth">Blocks.</param>
/// <param name="Heads">Heads of a block.</param>
/// <param name="MlpRatio">Hidden channels of the perceptron, as a multiple of Dim.</param>
public sealed record MaeDecoderSettings(int Dim = 512, int Depth = 8, int Heads = 16, double MlpRatio = 4)
{
    /// <summary>Whether the keys' projections have a bias.</summary>
    public bool KeyBias { get; init; } = true;

    /// <summary>Of every LayerNorm.</summary>
    public float Eps { get; init; } = 1e-6f;

    /// <summary>Side in patches of the squares that are one token of the decoder (LSMAE): 1 for a token each.</summary>
    public int Downsampling { get; init; } = 1;

    /// <summary>Side in patches of what is predicted as one patch (LSMAE): 1, or that of the decoder's tokens.</summary>
    public int PredictionDownsampling { get; init; } = 1;
}

/// <summary>
/// MAE's decoder (section 3): the visible tokens and a mask token in every other place, positions added to all, a light
/// transformer, and a linear prediction of pixels. LSMAE's works on fewer tokens for larger images, and predicts larger patches.
/// </summary>
public sealed class MaeDecoder
{
    private readonly Linear _embed;
    private readonly Parameter _maskToken;
    private readonly Parameter _position;
    private readonly DecoderDownsampling? _down;
    private readonly TransformerStack _stack;
    private readonly TransposedConv? _up;
    private readonly LayerNorm _norm;
    private readonly Linear _predict;
    private readonly TokenOrder _all;
    private readonly int _dim;
    private readonly int _first;
    private readonly TokenPlaces _places;

    /// <summary>Registers the decoder's parameters under the upstream names.</summary>
    /// <param name="scope">The root of the names.</param>
    /// <param name="settings">The sizes.</param>
    /// <param name="grid">The encoder's grid.</param>
    /// <param name="encoderDim">Channels of the encoder's tokens.</param>
    /// <param name="classToken">Whether the encoder's first token is no patch.</param>
    /// <param name="reduction">Pixels of the image for one that is predicted, in each direction.</param>
    public MaeDecoder(
        ParameterScope scope, MaeDecoderSettings settings, PatchGrid grid, int encoderDim, bool classToken, int reduction)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var (down, predicted) = (settings.Downsampling, settings.PredictionDownsampling);
        if (predicted != 1 && predicted != down)
        {
            throw new ArgumentException($"predictions of {predicted} x {predicted} patches are neither 1 nor the decoder's {down}");
        }
        var tokens = grid with { Patch = grid.Patch * down };
        tokens.Validate();
        Grid = grid with { Patch = grid.Patch * predicted };
        _dim = settings.Dim;
        _first = classToken ? 1 : 0;
        _places = TokenPlaces.Of(tokens, classToken);
        _embed = new Linear(scope["decoder_embed"], encoderDim, settings.Dim);
        _maskToken = scope.Add("mask_token", new Initializer.Normal(0.02), trainable: true, 1, 1, settings.Dim);
        _position = SinCosPosition.Register(scope, "decoder_pos_embed", tokens, settings.Dim, classToken);
        if (down > 1)
        {
            _down = new DecoderDownsampling(scope["decoder_downsample"], grid, down, settings.Dim);
            _up = predicted == down
                ? null : new TransposedConv(scope["decoder_upsample"], tokens.Rows, tokens.Columns, down, settings.Dim, settings.Dim);
        }
        var block = new BlockSettings(settings.Dim, settings.Heads, settings.MlpRatio, settings.Eps) { KeyBias = settings.KeyBias };
        _stack = new TransformerStack(scope, "decoder_blocks", settings.Depth, _ => block);
        _norm = new LayerNorm(scope["decoder_norm"], settings.Dim, settings.Eps);
        var side = Grid.Patch / reduction;
        _predict = new Linear(scope["decoder_pred"], settings.Dim, (long)side * side * grid.Channels);
        _all = TokenOrder.All(tokens.Count);
    }

    /// <summary>How images are cut into the patches that are predicted.</summary>
    public PatchGrid Grid { get; }

    /// <summary>Whether single patches of the encoder's grid may be asked for; it needs a token for each.</summary>
    public bool AnswersPatches => _down is null;

    /// <summary>The prediction (B, M, P) of the patches that are asked for, or of all of <see cref="Grid"/>.</summary>
    /// <param name="latent">(B, E + K, D): the encoder's tokens.</param>
    /// <param name="mask">The mask that the encoder saw through.</param>
    /// <param name="asked">(B, M): the patches that the loss looks at; absent for all.</param>
    /// <param name="step">The step.</param>
    /// <param name="saved">What Backward needs.</param>
    public Tensor Forward(Tensor latent, in TokenMask mask, Tensor asked, Step step, out Saved saved)
    {
        ArgumentNullException.ThrowIfNull(step);
        if (!asked.IsAbsent && !AnswersPatches)
        {
            throw new ArgumentException("a decoder of fewer tokens has none for each patch, so none can be asked for", nameof(asked));
        }
        var batch = latent[0];
        var x = _embed.Forward(latent.Rows(), step, out var embed).Reshape(batch, latent[1], _dim);
        var tokens = Ops.RestoreTokens(
            x, _maskToken.ValueAs(-1), _down is null ? Position : Tensor.None, mask.IdsRestore, _first == 1, step);
        DecoderDownsampling.Saved down = default;
        if (_down is not null)
        {
            var fewer = _down.Forward(tokens, step, out down);
            tokens = Ops.EmbedTokens(fewer, Tensor.None, Position, Tensor.None, Tensor.None, Tensor.None, step);
        }
        var ids = asked.IsAbsent ? _all.Ids(batch, step) : asked;
        var contexts = step.Rent<BlockContext>(1);
        contexts[0] = new BlockContext { Places = _places };
        var stream = _stack.Forward(tokens.Rows(), batch, contexts, new Asked(ids, _first), step, out var stack);  // (B M, D)
        TransposedConv.Saved up = default;
        if (_up is not null)
        {
            var sum = Ops.Add(stream.Stream, stream.Branch, step).Reshape(batch, -1, _dim);
            stream = new Residual(_up.Forward(sum, step, out up).Rows(), Tensor.None);
        }
        var y = _norm.Forward(stream, step, out var norm);
        var pred = _predict.Forward(y, step, out var predict);
        saved = new Saved(embed, mask.IdsRestore, latent[1], down, tokens[1], stack, up, norm, predict);
        return pred.Reshape(batch, -1, pred[1]);
    }

    /// <summary>The gradient of latent.</summary>
    public Tensor Backward(Tensor dpred, in Saved saved, Step step)
    {
        var batch = dpred[0];
        var dsum = _norm.Backward(_predict.Backward(dpred.Rows(), saved.Predict, step), Tensor.None, saved.Norm, step);
        if (_up is not null)
        {
            dsum = _up.Backward(dsum.Reshape(batch, -1, _dim), saved.Up, step).Rows();
        }
        var dtokens = _stack.Backward(dsum, saved.Stack, step).Reshape(batch, saved.Tokens, _dim);
        if (_down is not null)
        {
            dtokens = _down.Backward(dtokens, saved.Down, step);
        }
        var dx = Ops.RestoreTokensBackward(
            dtokens, _maskToken.GradAs(-1), Tensor.None, saved.IdsRestore, saved.LatentTokens, step);
        return _embed.Backward(dx.Rows(), saved.Embed, step).Reshape(batch, saved.LatentTokens, -1);
    }

    private Tensor Position => _position.ValueAs(-1, _dim);

    /// <summary>What Backward needs from Forward.</summary>
    public readonly record struct Saved(
        Linear.Saved Embed, Tensor IdsRestore, long LatentTokens, DecoderDownsampling.Saved Down, long Tokens,
        TransformerStack.Saved Stack, TransposedConv.Saved Up, LayerNorm.Saved Norm, Linear.Saved Predict);
}
