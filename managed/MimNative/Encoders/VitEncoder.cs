using MimNative.Masking;
using MimNative.Nn;
using MimNative.Runtime;

namespace MimNative.Encoders;

/// <summary>Sizes of a plain vision transformer.</summary>
/// <param name="Grid">How images are cut into patches.</param>
/// <param name="Dim">Channels of a token; divisible by the heads and by 4.</param>
/// <param name="Depth">Blocks.</param>
/// <param name="Heads">Heads of a block.</param>
/// <param name="MlpRatio">Hidden channels of the perceptron, as a multiple of Dim.</param>
/// <param name="Eps">Of every LayerNorm.</param>
public sealed record VitSettings(
    PatchGrid Grid, int Dim, int Depth, int Heads, double MlpRatio = 4, float Eps = 1e-6f);

/// <summary>
/// A plain vision transformer (Dosovitskiy et al. 2021) with MAE's fixed sine-cosine positions and a class token, which sees only
/// the patches that a mask keeps.
/// </summary>
public sealed class VitEncoder
{
    private readonly PatchEmbed _patchEmbed;
    private readonly Parameter _cls;
    private readonly Parameter _position;
    private readonly TransformerStack _stack;

    /// <summary>Registers the encoder's parameters under the upstream names.</summary>
    public VitEncoder(ParameterScope scope, VitSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        settings.Grid.Validate();
        Settings = settings;
        _cls = scope.Add("cls_token", new Initializer.Normal(0.02), trainable: true, 1, 1, settings.Dim);
        _position = SinCosPosition.Register(scope, "pos_embed", settings.Grid, settings.Dim, classToken: true);
        _patchEmbed = new PatchEmbed(scope["patch_embed"], settings.Grid, settings.Dim);
        _stack = new TransformerStack(
            scope, "blocks", "norm", settings.Depth, settings.Dim, settings.Heads, settings.MlpRatio, settings.Eps);
    }

    /// <summary>The sizes.</summary>
    public VitSettings Settings { get; }

    /// <summary>Tokens of all patches: encoding without a mask. images: (B, C, H, W); returns (B, 1 + L, D).</summary>
    public Tensor Forward(Tensor images, Step step) => Forward(images, Tensor.None, step, out _);

    /// <summary>Tokens of the visible patches: (B, 1 + K, D), class token first, after the final LayerNorm.</summary>
    public Tensor Forward(Tensor images, in TokenMask mask, Step step, out Saved saved) =>
        Forward(images, mask.IdsKeep, step, out saved);

    /// <summary>Adds to the parameters' gradients, and to <paramref name="dimages"/> (B, C, H, W) where it is given.</summary>
    public void Backward(Tensor dlatent, Tensor dimages, in Saved saved, Step step)
    {
        var dtokens = _stack.Backward(dlatent.Rows(), saved.Stack, step)
            .Reshape(dlatent[0], dlatent[1], dlatent[2]);
        var dx = Ops.EmbedTokensBackward(
            dtokens, _cls.GradAs(-1), Tensor.None, Tensor.None, saved.PatchEmbed.Ids, Tensor.None, classToken: true, step);
        _patchEmbed.Backward(dx, dimages, saved.PatchEmbed, step);
    }

    private Tensor Forward(Tensor images, Tensor ids, Step step, out Saved saved)
    {
        var x = _patchEmbed.Forward(images, ids, step, out var patchSaved);                       // (B, K, D)
        var tokens = Ops.EmbedTokens(                                                             // (B, 1 + K, D)
            x, _cls.ValueAs(-1), _position.ValueAs(-1, Settings.Dim), ids, Tensor.None, Tensor.None, step);
        var y = _stack.Forward(tokens.Rows(), tokens[0], step, out var stackSaved);
        saved = new Saved(patchSaved, stackSaved);
        return y.Reshape(tokens[0], tokens[1], tokens[2]);
    }

    /// <summary>What Backward needs from Forward.</summary>
    public readonly record struct Saved(PatchEmbed.Saved PatchEmbed, TransformerStack.Saved Stack);
}
