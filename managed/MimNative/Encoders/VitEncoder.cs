using MimNative.Masking;
using MimNative.Nn;
using MimNative.Runtime;

namespace MimNative.Encoders;

/// <summary>
/// A plain vision transformer (Dosovitskiy et al. 2021) with a class token: MAE's, which sees only the patches that a mask keeps;
/// SimMIM's, with mask tokens and relative positions; LoMaR's, over windows.
/// </summary>
public sealed class VitEncoder : IMaskedEncoder, IVisibleEncoder
{
    private readonly PatchEmbed _patchEmbed;
    private readonly Parameter _cls;
    private readonly Parameter? _position;
    private readonly Parameter? _maskToken;
    private readonly RelativePositionBias? _sharedBias;
    private readonly StochasticDepth _dropPath;
    private readonly TransformerStack _stack;
    private readonly LayerNorm _norm;
    private readonly int[]? _index;
    private int[]? _wholeIndex;
    private readonly long _tokens;
    private readonly TokenOrder _all;

    /// <summary>Registers the encoder's parameters under the upstream names.</summary>
    public VitEncoder(ParameterScope scope, VitSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        settings.Grid.Validate();
        Settings = settings;
        var grid = settings.Grid;
        var tokens = settings.Window ?? (grid.Rows, grid.Columns);
        var init = settings.NormalInit ? WeightInits.Normal : WeightInits.Xavier;
        _cls = scope.Add("cls_token", new Initializer.Normal(0.02), trainable: true, 1, 1, settings.Dim);
        _position = settings.Position switch
        {
            PositionKind.SinCos => SinCosPosition.Register(scope, "pos_embed", grid, settings.Dim, classToken: true),
            PositionKind.Learned => scope.Add(
                "pos_embed", new Initializer.Normal(0.02), trainable: true, 1, grid.Count + 1, settings.Dim),
            _ => null,
        };
        _maskToken = settings.MaskToken is { } token
            ? scope.Add(
                "mask_token", token == MaskTokenKind.Learned ? new Initializer.Normal(0.02) : Initializer.Zeros,
                trainable: token == MaskTokenKind.Learned, 1, 1, settings.Dim)
            : null;
        _patchEmbed = new PatchEmbed(scope["patch_embed"], grid, settings.Dim, init);
        var rows = RelativePositionBias.Rows(tokens.Rows, tokens.Columns, classToken: true);
        if (settings.RelativePosition is RelativePositionKind.SharedBias or RelativePositionKind.BothBiases)
        {
            _sharedBias = new RelativePositionBias(scope["rel_pos_bias"], rows, settings.Heads, Initializer.Zeros);
        }
        _index = settings.RelativePosition switch
        {
            RelativePositionKind.None => null,
            RelativePositionKind.Contextual => ContextualPosition.Of(tokens.Rows, tokens.Columns),
            _ => RelativePositionBias.Index(tokens.Rows, tokens.Columns, classToken: true),
        };
        _tokens = 1 + (tokens.Rows * tokens.Columns);
        _all = TokenOrder.All(grid.Count);
        _dropPath = new StochasticDepth(settings.DropPath, settings.Depth);
        _stack = new TransformerStack(scope, "blocks", settings.Depth, block =>
            new BlockSettings(settings.Dim, settings.Heads, settings.MlpRatio, settings.Eps)
            {
                KeyBias = settings.KeyBias,
                LayerScale = settings.LayerScale,
                RelativePositions = settings.RelativePosition is RelativePositionKind.Bias or RelativePositionKind.BothBiases ? rows : 0,
                Buckets = settings.RelativePosition == RelativePositionKind.Contextual ? ContextualPosition.Buckets : 0,
                Init = init,
                InitLast = settings.NormalInit ? WeightInits.NormalOfLayer(block + 1) : null,
            });
        _norm = new LayerNorm(scope["norm"], settings.Dim, settings.Eps);
    }

    /// <summary>The sizes.</summary>
    public VitSettings Settings { get; }

    /// <inheritdoc/>
    public PatchGrid Grid => Settings.Grid;

    /// <inheritdoc/>
    public PatchGrid OutputGrid => Settings.Grid;

    /// <inheritdoc/>
    public int OutputDim => Settings.Dim;

    /// <summary>
    /// Tokens of all patches: encoding without a mask, of the whole image in any case. images: (B, C, H, W); returns (B, 1 + L, D).
    /// </summary>
    public Tensor Forward(Tensor images, Step step) => Forward(images, default(VitTokens), key: null, step, out _);

    /// <summary>Tokens of the visible patches: (B, 1 + K, D), class token first, after the final LayerNorm.</summary>
    public Tensor Forward(Tensor images, in TokenMask mask, in BatchKey? key, Step step, out Saved saved) =>
        Forward(images, new VitTokens(mask.IdsKeep, Tensor.None, Tensor.None), key, step, out saved);

    /// <summary>
    /// The tokens (R, 1 + T, D), class token first, after the final LayerNorm; where patches are asked for, (R, M), theirs alone (R, M, D).
    /// </summary>
    public Tensor Forward(Tensor images, in VitTokens tokens, in BatchKey? key, Step step, out Saved saved)
    {
        var context = Context(images[0], tokens, key, step);
        var x = _patchEmbed.Forward(images, tokens.Ids, step, out var patchSaved)                 // (B, K, D)
            .Reshape(images[0] * Math.Max(1, tokens.Sequences), -1, Settings.Dim);                // (R, K / Sequences, D)
        var maskToken = _maskToken?.ValueAs(-1) ?? Tensor.None;
        var embedded = Ops.EmbedTokens(
            x, _cls.ValueAs(-1), Position, PositionIds(tokens), tokens.Mask, tokens.Mask.IsAbsent ? Tensor.None : maskToken, step);
        var all = tokens.IdsRestore.IsAbsent
            ? embedded
            : Ops.RestoreTokens(embedded, maskToken, Tensor.None, tokens.IdsRestore, classToken: true, step);
        var stream = _stack.Forward(all.Rows(), all[0], context, new Asked(tokens.Asked, First: 1), step, out var stackSaved);
        var y = _norm.Forward(stream, step, out var normSaved);
        saved = new Saved(patchSaved, tokens, embedded[1], all[1], stackSaved, normSaved);
        return y.Reshape(all[0], -1, all[2]);
    }

    /// <summary>Adds to the parameters' gradients, and to <paramref name="dimages"/> (B, C, H, W) where it is given.</summary>
    public void Backward(Tensor dlatent, Tensor dimages, in Saved saved, Step step)
    {
        ref readonly var context = ref saved.Stack.Contexts[0];
        var dsum = _norm.Backward(dlatent.Rows(), Tensor.None, saved.Norm, step);
        var dall = _stack.Backward(dsum, saved.Stack, step).Reshape(dlatent[0], saved.AllTokens, dlatent[2]);
        _sharedBias?.Backward(context.DBias, context.RelativeIndex, step);
        var dmaskToken = _maskToken is { IsTrainable: true } ? _maskToken.GradAs(-1) : Tensor.None;
        var dembedded = saved.Tokens.IdsRestore.IsAbsent
            ? dall
            : Ops.RestoreTokensBackward(
                dall, dmaskToken, Tensor.None, saved.Tokens.IdsRestore, saved.EmbeddedTokens, step);
        var dposition = _position is { IsTrainable: true } ? _position.GradAs(-1, Settings.Dim) : Tensor.None;
        var dx = Ops.EmbedTokensBackward(
            dembedded, _cls.GradAs(-1), dposition, saved.Tokens.Mask.IsAbsent ? Tensor.None : dmaskToken,
            PositionIds(saved.Tokens), saved.Tokens.Mask, classToken: true, step);
        _patchEmbed.Backward(dx.Reshape(saved.PatchEmbed.Patches[0], -1, Settings.Dim), dimages, saved.PatchEmbed, step);
    }

    /// <inheritdoc/>
    public bool HasClassToken => true;

    /// <inheritdoc/>
    public Tensor ForwardVisible(Tensor images, in TokenMask mask, in BatchKey? key, Step step, out object saved)
    {
        var latent = Forward(images, mask, key, step, out var vitSaved);
        saved = step.Keep(vitSaved);
        return latent;
    }

    /// <inheritdoc/>
    public void BackwardVisible(Tensor dlatent, Tensor dimages, object saved, Step step) =>
        Backward(dlatent, dimages, Step.Kept<Saved>(saved), step);

    /// <inheritdoc/>
    public bool AnswersPatches => true;

    /// <inheritdoc/>
    public Tensor ForwardMasked(Tensor images, Tensor mask, Tensor asked, in BatchKey? key, Step step, out object saved)
    {
        // the class token ends with the last attention
        var ids = asked.IsAbsent ? _all.Ids(images[0], step) : asked;
        var z = Forward(images, new VitTokens(Tensor.None, mask, Tensor.None, Asked: ids), key, step, out var vitSaved);
        saved = step.Keep((vitSaved, ids));
        return z.Rows();
    }

    /// <inheritdoc/>
    public void BackwardMasked(Tensor dtokens, Tensor dimages, object saved, Step step)
    {
        ref readonly var kept = ref Step.Kept<(Saved Vit, Tensor Ids)>(saved);
        Backward(dtokens.Reshape(kept.Ids[0], kept.Ids[1], -1), dimages, kept.Vit, step);
    }

    private Tensor Position => _position?.ValueAs(-1, Settings.Dim) ?? Tensor.None;

    // Windows repeat patches, but have no positions to look up.
    private Tensor PositionIds(in VitTokens tokens) => _position is null ? Tensor.None : tokens.Ids;

    private BlockContext[] Context(long batch, in VitTokens tokens, in BatchKey? key, Step step)
    {
        var contexts = step.Rent<BlockContext>(1);
        var index = _index is null ? Tensor.None
            : tokens.Ids.IsAbsent && Settings.Window is not null ? WholeIndex(step)
            : step.Resident(_index, _tokens, _tokens);
        var bias = _sharedBias?.Forward(index, step) ?? Tensor.None;
        var isContextual = Settings.RelativePosition == RelativePositionKind.Contextual;
        contexts[0] = new BlockContext(
            new AttentionPosition { Bias = bias, Buckets = isContextual ? index : Tensor.None },
            bias.IsAbsent ? Tensor.None : Ops.FilledLike(bias, 0, step),
            isContextual ? Tensor.None : index,
            key is { } drawn ? _dropPath.Draw(drawn, step) : Tensor.None)
        {
            Places = Places(batch, tokens),
        };
        return contexts;
    }

    // A model that was trained in windows sees a whole image with the buckets of all its offsets, as upstream fine-tunes it.
    private Tensor WholeIndex(Step step)
    {
        if (Settings.RelativePosition != RelativePositionKind.Contextual)
        {
            throw new NotSupportedException(
                "relative position biases of a window have none for the offsets of a whole image, so windows alone can be encoded");
        }
        _wholeIndex ??= ContextualPosition.Of(Grid.Rows, Grid.Columns);
        return step.Resident(_wholeIndex, Grid.Count + 1, Grid.Count + 1);
    }

    private TokenPlaces Places(long batch, in VitTokens tokens)
    {
        var all = TokenPlaces.Of(Grid, classToken: true);
        return tokens.Ids.IsAbsent ? all
            : tokens.IdsRestore.IsAbsent ? all with { Ids = tokens.Ids.Reshape(batch * Math.Max(1, tokens.Sequences), -1) }
            : default;   // the places of hidden patches are not known here
    }

    /// <summary>What Backward needs from Forward.</summary>
    public readonly record struct Saved(
        PatchEmbed.Saved PatchEmbed, VitTokens Tokens, long EmbeddedTokens, long AllTokens, TransformerStack.Saved Stack, LayerNorm.Saved Norm);
}
