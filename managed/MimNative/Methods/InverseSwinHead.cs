using MimNative.Nn;
using MimNative.Runtime;

namespace MimNative.Methods;

/// <summary>Sizes of an <see cref="InverseSwinHead"/>.</summary>
/// <param name="Depths">Blocks of each stage, from the encoder's resolution upwards.</param>
/// <param name="Heads">Heads of the first stage, halved by each further one.</param>
/// <param name="Window">Side of an attention window in tokens.</param>
/// <param name="MlpRatio">Hidden channels of the perceptron, as a multiple of a stage's channels.</param>
public sealed record InverseSwinSettings(IReadOnlyList<int> Depths, int Heads, int Window, double MlpRatio = 4);

/// <summary>
/// A Swin transformer run backwards, the heaviest head of SimMIM's ablation (section 4.2): stages of windowed attention, and between them
/// patch splitting, which makes four tokens of half the channels of each; then LayerNorm and a linear layer to the finest patches. The
/// text gives no code for it: this is Swin with its merging inverted.
/// </summary>
public sealed class InverseSwinHead : IPredictionHead
{
    private const float Eps = 1e-5f;

    private readonly SwinStage[] _stages;
    private readonly PatchSplitting?[] _splitting;
    private readonly LayerNorm _norm;
    private readonly Linear _predict;

    /// <inheritdoc/>
    public bool IsPerToken => false;

    /// <summary>Registers <c>layers.0</c>, ..., <c>norm</c> and <c>pred</c>.</summary>
    public InverseSwinHead(ParameterScope scope, InverseSwinSettings settings, PatchGrid grid, int dim, int reduction)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var count = settings.Depths.Count;
        _stages = new SwinStage[count];
        _splitting = new PatchSplitting?[count];
        Grid = grid with { Patch = grid.Patch >> (count - 1) };
        if (Grid.Patch << (count - 1) != grid.Patch || dim >> (count - 1) << (count - 1) != dim)
        {
            throw new ArgumentException(
                $"a head of {count} stages halves the stride of {grid.Patch} pixels and the {dim} channels {count - 1} times, " +
                "which leaves no whole numbers", nameof(settings));
        }
        for (var i = 0; i < count; i++)
        {
            int rows = grid.Rows << i, columns = grid.Columns << i;
            var block = new BlockSettings(dim >> i, settings.Heads >> i, settings.MlpRatio, Eps) { Init = WeightInits.Normal };
            var stage = scope[$"layers.{i}"];
            _stages[i] = new SwinStage(stage, rows, columns, settings.Window, settings.Depths[i], block);
            _splitting[i] = i + 1 < count ? new PatchSplitting(stage["upsample"], rows, columns, dim >> i, Eps) : null;
        }
        _norm = new LayerNorm(scope["norm"], dim >> (count - 1), Eps);
        _predict = new Linear(
            scope["pred"], dim >> (count - 1), Grid.PatchSize / (reduction * reduction), WeightInits.Convolution);
    }

    /// <inheritdoc/>
    public PatchGrid Grid { get; }

    /// <inheritdoc/>
    public Tensor Forward(Tensor x, long batch, Step step, out object saved)
    {
        var stages = step.Rent<StageSaved>(_stages.Length);
        Residual stream = default;
        for (var i = 0; i < _stages.Length; i++)
        {
            stream = _stages[i].Forward(x, batch, Tensor.None, step, out var stageSaved);
            PatchSplitting.Saved splittingSaved = default;
            if (_splitting[i] is { } splitting)
            {
                x = splitting.Forward(stream, batch, step, out splittingSaved);
            }
            stages[i] = new StageSaved(stageSaved, splittingSaved);
        }
        var normed = _norm.Forward(stream, step, out var normSaved);
        var pred = _predict.Forward(normed, step, out var predictSaved);
        saved = step.Keep(new Saved(stages, normSaved, predictSaved));
        return pred;
    }

    /// <inheritdoc/>
    public Tensor Backward(Tensor dpred, object saved, Step step)
    {
        ref readonly var kept = ref Step.Kept<Saved>(saved);
        var dx = _norm.Backward(_predict.Backward(dpred, kept.Predict, step), Tensor.None, kept.Norm, step);
        for (var i = _stages.Length - 1; i >= 0; i--)
        {
            if (_splitting[i] is { } splitting)
            {
                dx = splitting.Backward(dx, kept.Stages[i].Splitting, step);
            }
            dx = _stages[i].Backward(dx, kept.Stages[i].Stage, step);
        }
        return dx;
    }

    private readonly record struct StageSaved(SwinStage.Saved Stage, PatchSplitting.Saved Splitting);

    private readonly record struct Saved(StageSaved[] Stages, LayerNorm.Saved Norm, Linear.Saved Predict);
}
