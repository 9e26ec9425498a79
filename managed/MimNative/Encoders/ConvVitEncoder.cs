using MimNative.Masking;
using MimNative.Nn;
using MimNative.Runtime;

namespace MimNative.Encoders;

/// <summary>
/// ConvMAE's encoder (Gao et al. 2022, section 3): two convolutional stages over the whole image, whose depthwise convolutions see zeros
/// in place of what the mask removes, then a transformer over the visible patches; what the convolutional stages made of the visible
/// patches is added to its answer before the last LayerNorm (multi-scale fusion, section 3.3). There is no class token.
/// </summary>
public sealed class ConvVitEncoder : IVisibleEncoder
{
    private readonly ConvVitSettings _settings;
    private readonly PatchEmbed _embed1;
    private readonly StridedConv _embed2, _embed3;
    private readonly ConvStage _stage1, _stage2;
    private readonly NormGelu _embed3Norm;
    private readonly Linear _embed4;
    private readonly Parameter? _position;
    private readonly TransformerStack _stack;
    private readonly StridedConv _fuse1, _fuse2;
    private readonly LayerNorm _norm;

    /// <summary>Registers the encoder's parameters under the upstream names.</summary>
    public ConvVitEncoder(ParameterScope scope, ConvVitSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        settings.Validate();
        _settings = settings;
        var (first, second, third) = (settings.First, settings.Second, settings.Third);
        var grid1 = settings.Grid with { Patch = first.Patch };
        var grid2 = settings.Grid with { Patch = first.Patch * second.Patch };
        var init = WeightInits.Convolution;
        _embed1 = new PatchEmbed(scope["patch_embed1"], grid1, first.Dim, init);
        _stage1 = new ConvStage(
            scope, "patch_embed1", "blocks1", grid1.Rows, grid1.Columns, first.Dim, first.Depth, first.MlpRatio, settings.ConvEps, init);
        _embed2 = new StridedConv(scope["patch_embed2"]["proj"], grid1.Rows, grid1.Columns, second.Patch, first.Dim, second.Dim, init);
        _stage2 = new ConvStage(
            scope, "patch_embed2", "blocks2", grid2.Rows, grid2.Columns, second.Dim, second.Depth, second.MlpRatio, settings.ConvEps, init);
        _embed3 = new StridedConv(
            scope["patch_embed3"]["proj"], grid2.Rows, grid2.Columns, third.Patch, second.Dim, third.Dim, WeightInits.Xavier);
        _embed3Norm = new NormGelu(scope["patch_embed3"]["norm"], third.Dim, settings.ConvEps);
        _embed4 = new Linear(scope["patch_embed4"], third.Dim, third.Dim);
        _position = settings.Position switch
        {
            PositionKind.SinCos => SinCosPosition.Register(scope, "pos_embed", settings.Grid, third.Dim, classToken: false),
            PositionKind.Learned => scope.Add("pos_embed", new Initializer.Normal(0.02), trainable: true, 1, Grid.Count, third.Dim),
            _ => null,
        };
        var block = new BlockSettings(third.Dim, settings.Heads, third.MlpRatio, settings.Eps) { KeyBias = settings.KeyBias };
        _stack = new TransformerStack(scope, "blocks3", third.Depth, _ => block);
        _fuse1 = new StridedConv(
            scope["stage1_output_decode"], grid1.Rows, grid1.Columns, second.Patch * third.Patch, first.Dim, third.Dim, init);
        _fuse2 = new StridedConv(
            scope["stage2_output_decode"], grid2.Rows, grid2.Columns, third.Patch, second.Dim, third.Dim, init);
        _norm = new LayerNorm(scope["norm"], third.Dim, settings.Eps);
    }

    /// <inheritdoc/>
    public PatchGrid Grid => _settings.Grid;

    /// <inheritdoc/>
    public int OutputDim => _settings.Third.Dim;

    /// <inheritdoc/>
    public bool HasClassToken => false;

    /// <inheritdoc/>
    public Tensor ForwardVisible(Tensor images, in TokenMask mask, in BatchKey? key, Step step, out object saved)
    {
        ArgumentNullException.ThrowIfNull(step);
        var (batch, ids) = (images[0], mask.IdsKeep);
        var keep1 = KeepMap(ids, batch, _settings.Second.Patch * _settings.Third.Patch, step);
        var keep2 = KeepMap(ids, batch, _settings.Third.Patch, step);
        var x1 = _stage1.Forward(_embed1.Forward(images, Tensor.None, step, out var embed1), keep1, step, out var stage1);
        var x2 = _stage2.Forward(_embed2.Forward(x1, Tensor.None, step, out var embed2), keep2, step, out var stage2);
        var x3 = _embed3.Forward(x2, ids, step, out var embed3);                               // from here on (B, K, D)
        var embedded = _embed4.Forward(_embed3Norm.Forward(x3.Rows(), step, out var norm3), step, out var embed4);
        var tokens = Ops.EmbedTokens(
            embedded.Reshape(batch, -1, OutputDim), Tensor.None, _position?.ValueAs(-1, OutputDim) ?? Tensor.None, ids, Tensor.None,
            Tensor.None, step);
        var places = new TokenPlaces(Grid.Rows, Grid.Columns, HasClassToken, ids);
        var stream = _stack.Forward(tokens.Rows(), batch, step, out var stack, places);

        var fused = _fuse1.Forward(x1, ids, step, out var fuse1).Rows();
        Ops.Add(fused, fused, _fuse2.Forward(x2, ids, step, out var fuse2).Rows(), step);
        Ops.Add(fused, fused, stream.Stream, step);
        var y = _norm.Forward(stream with { Stream = fused }, step, out var norm);
        saved = step.Keep(new Saved(embed1, stage1, embed2, stage2, embed3, norm3, embed4, ids, stack, fuse1, fuse2, norm));
        return y.Reshape(batch, -1, OutputDim);
    }

    /// <inheritdoc/>
    public void BackwardVisible(Tensor dlatent, Tensor dimages, object saved, Step step)
    {
        ref readonly var kept = ref Step.Kept<Saved>(saved);
        var dsum = _norm.Backward(dlatent.Rows(), Tensor.None, kept.Norm, step);
        var dx1 = _fuse1.Backward(dsum, kept.Fuse1, step);
        var dx2 = _fuse2.Backward(dsum, kept.Fuse2, step);

        var dtokens = _stack.Backward(dsum, kept.Stack, step).Reshape(dlatent[0], -1, OutputDim);
        var dposition = _position is { IsTrainable: true } ? _position.GradAs(-1, OutputDim) : Tensor.None;
        var dembedded = Ops.EmbedTokensBackward(
            dtokens, Tensor.None, dposition, Tensor.None, kept.Ids, Tensor.None, classToken: false, step);
        var dx3 = _embed3Norm.Backward(_embed4.Backward(dembedded.Rows(), kept.Embed4, step), kept.Norm3, step);
        Ops.Add(dx2, dx2, _embed3.Backward(dx3, kept.Embed3, step), step);
        Ops.Add(dx1, dx1, _embed2.Backward(_stage2.Backward(dx2, kept.Stage2, step), kept.Embed2, step), step);
        _embed1.Backward(_stage1.Backward(dx1, kept.Stage1, step), dimages, kept.Embed1, step);
    }

    // (B, H, W): 1 on the blocks of cells x cells tokens that the kept patches are, 0 elsewhere; absent where nothing is removed.
    private Tensor KeepMap(Tensor ids, long batch, int cells, Step step)
    {
        if (ids.IsAbsent)
        {
            return Tensor.None;
        }
        var map = Ops.Filled(0, DType.F32, step, batch, 1, Grid.Rows * cells, Grid.Columns * cells);
        var ones = Ops.Filled(1, DType.F32, step, batch, ids[1], cells * cells);
        Ops.PatchifyBackward(map, ones, ids, cells, PatchOrder.PixelsFirst, step);
        return map.Reshape(batch, Grid.Rows * cells, Grid.Columns * cells);
    }

    private readonly record struct Saved(
        PatchEmbed.Saved Embed1, ConvStage.Saved Stage1, StridedConv.Saved Embed2, ConvStage.Saved Stage2, StridedConv.Saved Embed3,
        NormGelu.Saved Norm3, Linear.Saved Embed4, Tensor Ids, TransformerStack.Saved Stack, StridedConv.Saved Fuse1,
        StridedConv.Saved Fuse2, LayerNorm.Saved Norm);
}
