using MimNative.Masking;
using MimNative.Nn;
using MimNative.Runtime;

namespace MimNative.Methods;

/// <summary>Sizes of a MAE decoder.</summary>
/// <param name="Dim">Channels of a token.</param>
/// <param name="Depth">Blocks.</param>
/// <param name="Heads">Heads of a block.</param>
/// <param name="MlpRatio">Hidden channels of the perceptron, as a multiple of Dim.</param>
public sealed record MaeDecoderSettings(int Dim = 512, int Depth = 8, int Heads = 16, double MlpRatio = 4);

/// <summary>
/// MAE's decoder (section 3): the visible tokens and a mask token in every other place, positions added to all, a light
/// transformer, and a linear prediction of pixels.
/// </summary>
public sealed class MaeDecoder
{
    private readonly Linear _embed;
    private readonly Parameter _maskToken;
    private readonly Parameter _position;
    private readonly TransformerStack _stack;
    private readonly LayerNorm _norm;
    private readonly Linear _predict;
    private readonly int _dim;

    /// <summary>Registers the decoder's parameters under the upstream names; a prediction has so many <paramref name="values"/>.</summary>
    public MaeDecoder(ParameterScope scope, MaeDecoderSettings settings, PatchGrid grid, int encoderDim, float eps, int values)
    {
        ArgumentNullException.ThrowIfNull(settings);
        _dim = settings.Dim;
        _embed = new Linear(scope["decoder_embed"], encoderDim, settings.Dim);
        _maskToken = scope.Add("mask_token", new Initializer.Normal(0.02), trainable: true, 1, 1, settings.Dim);
        _position = SinCosPosition.Register(scope, "decoder_pos_embed", grid, settings.Dim, classToken: true);
        var block = new BlockSettings(settings.Dim, settings.Heads, settings.MlpRatio, eps);
        _stack = new TransformerStack(scope, "decoder_blocks", settings.Depth, _ => block);
        _norm = new LayerNorm(scope["decoder_norm"], settings.Dim, eps);
        _predict = new Linear(scope["decoder_pred"], settings.Dim, values);
    }

    /// <summary>
    /// The prediction (B, M, P) of the patches <paramref name="ids"/> (B, M): those that the loss looks at, and no others.
    /// </summary>
    /// <param name="latent">(B, 1 + K, D): the encoder's tokens.</param>
    /// <param name="mask">The mask that the encoder saw through.</param>
    /// <param name="ids">The patches to predict.</param>
    /// <param name="step">The step.</param>
    /// <param name="saved">What Backward needs.</param>
    public Tensor Forward(Tensor latent, in TokenMask mask, Tensor ids, Step step, out Saved saved)
    {
        var x = _embed.Forward(latent.Rows(), step, out var embedSaved).Reshape(latent[0], latent[1], _dim);
        var tokens = Ops.RestoreTokens(
            x, _maskToken.ValueAs(-1), _position.ValueAs(-1, _dim), mask.IdsRestore, classToken: true, step);
        var contexts = step.Rent<BlockContext>(1);
        contexts[0] = default;
        var stream = _stack.Forward(tokens.Rows(), tokens[0], contexts, asked: ids, step, out var stackSaved);  // (B M, D)
        var y = _norm.Forward(stream, step, out var normSaved);
        var pred = _predict.Forward(y, step, out var predictSaved);
        saved = new Saved(embedSaved, mask.IdsRestore, latent[1], stackSaved, normSaved, predictSaved);
        return pred.Reshape(ids[0], ids[1], -1);
    }

    /// <summary>The gradient of latent.</summary>
    public Tensor Backward(Tensor dpred, in Saved saved, Step step)
    {
        var batch = dpred[0];
        var tokens = saved.IdsRestore[1] + 1;
        var dy = _predict.Backward(dpred.Rows(), saved.Predict, step);
        var dsum = _norm.Backward(dy, Tensor.None, saved.Norm, step);
        var dtokens = _stack.Backward(dsum, saved.Stack, step).Reshape(batch, tokens, _dim);
        var dx = Ops.RestoreTokensBackward(
            dtokens, _maskToken.GradAs(-1), Tensor.None, saved.IdsRestore, saved.LatentTokens, step);
        return _embed.Backward(dx.Rows(), saved.Embed, step).Reshape(batch, saved.LatentTokens, -1);
    }

    /// <summary>What Backward needs from Forward.</summary>
    public readonly record struct Saved(
        Linear.Saved Embed, Tensor IdsRestore, long LatentTokens, TransformerStack.Saved Stack, LayerNorm.Saved Norm,
        Linear.Saved Predict);
}
