using MimNative.Nn;
using MimNative.Runtime;

namespace MimNative.Encoders;

/// <summary>
/// A Swin transformer (Liu et al. 2021) with a mask token (SimMIM, section 3.2): stages of blocks with attention inside shifted windows,
/// each followed by patch merging but the last, then a LayerNorm.
/// </summary>
public sealed class SwinEncoder : IMaskedEncoder
{
    private readonly SwinSettings _settings;
    private readonly PatchEmbed _patchEmbed;
    private readonly LayerNorm? _patchNorm;
    private readonly Parameter? _position;
    private readonly Parameter _maskToken;
    private readonly StochasticDepth _dropPath;
    private readonly SwinStage[] _stages;
    private readonly PatchMerging?[] _merging;
    private readonly LayerNorm _norm;

    /// <summary>Registers the encoder's parameters under the upstream names.</summary>
    public SwinEncoder(ParameterScope scope, SwinSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        settings.Grid.Validate();
        _settings = settings;
        var grid = settings.Grid;
        var stages = settings.Depths.Count;
        _patchEmbed = new PatchEmbed(scope["patch_embed"], grid, settings.Dim, WeightInits.Convolution);
        _patchNorm = settings.PatchNorm ? new LayerNorm(scope["patch_embed"]["norm"], settings.Dim, settings.Eps) : null;
        _position = settings.AbsolutePosition
            ? scope.Add("absolute_pos_embed", new Initializer.Normal(0.02), trainable: true, 1, grid.Count, settings.Dim)
            : null;
        _maskToken = scope.Add("mask_token", new Initializer.Normal(0.02), trainable: true, 1, 1, settings.Dim);
        _dropPath = new StochasticDepth(settings.DropPath, settings.Depths.Sum());
        _stages = new SwinStage[stages];
        _merging = new PatchMerging?[stages];
        for (var i = 0; i < stages; i++)
        {
            int rows = grid.Rows >> i, columns = grid.Columns >> i;
            var block = new BlockSettings(settings.Dim << i, settings.Heads[i], settings.MlpRatio, settings.Eps)
            {
                KeyBias = settings.KeyBias,
                LayerScale = settings.LayerScale,
                Init = WeightInits.Normal,
            };
            _stages[i] = new SwinStage(
                scope[$"layers.{i}"], rows, columns, settings.Window, settings.Depths[i], block, settings.RelativePosition);
            _merging[i] = i + 1 < stages
                ? new PatchMerging(scope[$"layers.{i}"]["downsample"], rows, columns, settings.Dim << i, settings.Eps, WeightInits.Normal)
                : null;
        }
        _norm = new LayerNorm(scope["norm"], OutputDim, settings.Eps);
    }

    /// <inheritdoc/>
    public PatchGrid Grid => _settings.Grid;

    /// <inheritdoc/>
    public PatchGrid OutputGrid => Grid with { Patch = Grid.Patch << (_settings.Depths.Count - 1) };

    /// <inheritdoc/>
    public int OutputDim => _settings.Dim << (_settings.Depths.Count - 1);

    /// <inheritdoc/>
    public bool AnswersPatches => false;

    /// <inheritdoc/>
    public Tensor ForwardMasked(Tensor images, Tensor mask, Tensor asked, in BatchKey? key, Step step, out object saved)
    {
        if (!asked.IsAbsent)
        {
            throw new ArgumentException("a Swin encoder has no token for each patch, so none can be asked for", nameof(asked));
        }
        var batch = images[0];
        var dropPath = key is { } drawn ? _dropPath.Draw(drawn, step) : Tensor.None;
        var stages = step.Rent<StageSaved>(_stages.Length);
        var patches = _patchEmbed.Forward(images, Tensor.None, step, out var patchSaved);         // (B, L, C)
        LayerNorm.Saved patchNormSaved = default;
        var normed = _patchNorm?.Forward(new Residual(patches.Rows(), Tensor.None), step, out patchNormSaved) ?? patches;
        var x = Ops.EmbedTokens(
            normed.Reshape(batch, Grid.Count, -1), Tensor.None, _position?.ValueAs(Grid.Count, -1) ?? Tensor.None, Tensor.None,
            mask, mask.IsAbsent ? Tensor.None : _maskToken.ValueAs(-1), step).Rows();
        Residual stream = default;
        for (int i = 0, block = 0; i < _stages.Length; block += _settings.Depths[i], i++)
        {
            var drop = dropPath.IsAbsent ? dropPath : dropPath.Slice(0, 2 * block, 2 * _settings.Depths[i]);
            stream = _stages[i].Forward(x, batch, drop, step, out var stageSaved);
            PatchMerging.Saved mergingSaved = default;
            if (_merging[i] is { } merging)
            {
                x = merging.Forward(stream, batch, step, out mergingSaved);
            }
            stages[i] = new StageSaved(stageSaved, mergingSaved);
        }
        var z = _norm.Forward(stream, step, out var normSaved);
        saved = step.Keep(new Saved(patchSaved, patchNormSaved, mask, stages, normSaved));
        return z;
    }

    /// <inheritdoc/>
    public void BackwardMasked(Tensor dtokens, Tensor dimages, object saved, Step step)
    {
        ref readonly var kept = ref Step.Kept<Saved>(saved);
        var dx = _norm.Backward(dtokens, Tensor.None, kept.Norm, step);
        for (var i = _stages.Length - 1; i >= 0; i--)
        {
            if (_merging[i] is { } merging)
            {
                dx = merging.Backward(dx, kept.Stages[i].Merging, step);
            }
            dx = _stages[i].Backward(dx, kept.Stages[i].Stage, step);
        }
        var batch = kept.PatchEmbed.Patches[0];
        var dnormed = Ops.EmbedTokensBackward(
            dx.Reshape(batch, Grid.Count, -1), Tensor.None, _position?.GradAs(Grid.Count, -1) ?? Tensor.None,
            kept.Mask.IsAbsent ? Tensor.None : _maskToken.GradAs(-1), Tensor.None, kept.Mask, classToken: false, step);
        var dpatches = _patchNorm?.Backward(dnormed.Rows(), Tensor.None, kept.PatchNorm, step) ?? dnormed;
        _patchEmbed.Backward(dpatches.Reshape(batch, Grid.Count, -1), dimages, kept.PatchEmbed, step);
    }

    private readonly record struct StageSaved(SwinStage.Saved Stage, PatchMerging.Saved Merging);

    private readonly record struct Saved(
        PatchEmbed.Saved PatchEmbed, LayerNorm.Saved PatchNorm, Tensor Mask, StageSaved[] Stages, LayerNorm.Saved Norm);
}
