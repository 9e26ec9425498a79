using MimNative.Nn;
using MimNative.Runtime;

namespace MimNative.Methods;

/// <summary>What turns an encoder's tokens into predicted patches (SimMIM, section 3.3): light or heavy, behind one interface.</summary>
public interface IPredictionHead
{
    /// <summary>How images are cut into the patches that are predicted: the encoder's output grid, or a finer one.</summary>
    PatchGrid Grid { get; }

    /// <summary>Whether a token's prediction depends on that token alone, so that some can be predicted without the others.</summary>
    bool IsPerToken { get; }

    /// <summary>x: tokens (R, D) of a batch of images; returns predictions (R', P), R' = R where the grid is the encoder's.</summary>
    Tensor Forward(Tensor x, long batch, Step step, out object saved);

    /// <summary>The gradient of x.</summary>
    Tensor Backward(Tensor dpred, object saved, Step step);
}

/// <summary>One linear layer, the default: as good as heavier heads, and far cheaper (SimMIM, table 2).</summary>
public sealed class LinearHead : IPredictionHead
{
    private readonly Linear _predict;

    /// <inheritdoc/>
    public bool IsPerToken => true;

    /// <summary>Registers the layer in <paramref name="scope"/>.</summary>
    /// <param name="scope">The layer's own scope: <c>decoder.0</c>, <c>encoder_pred</c>.</param>
    /// <param name="grid">The encoder's output grid.</param>
    /// <param name="dim">Channels of a token.</param>
    /// <param name="values">Numbers of a prediction.</param>
    /// <param name="init">The first weights.</param>
    /// <param name="isConvolution">Whether the weight has the extents of a 1 x 1 convolution.</param>
    public LinearHead(ParameterScope scope, PatchGrid grid, int dim, int values, WeightInit init, bool isConvolution)
    {
        Grid = grid;
        _predict = new Linear(scope, dim, values, init, isConvolution: isConvolution);
    }

    /// <inheritdoc/>
    public PatchGrid Grid { get; }

    /// <inheritdoc/>
    public Tensor Forward(Tensor x, long batch, Step step, out object saved)
    {
        var pred = _predict.Forward(x, step, out var layer);
        saved = step.Keep(layer);
        return pred;
    }

    /// <inheritdoc/>
    public Tensor Backward(Tensor dpred, object saved, Step step) =>
        _predict.Backward(dpred, Step.Kept<Linear.Saved>(saved), step);
}

/// <summary>Two linear layers with a GELU between them; the hidden layer is as wide as a token.</summary>
public sealed class MlpHead : IPredictionHead
{
    private readonly Mlp _predict;

    /// <inheritdoc/>
    public bool IsPerToken => true;

    /// <summary>Registers layers <c>0</c> and <c>2</c> in <paramref name="scope"/>, as a sequence with the GELU as 1 would.</summary>
    public MlpHead(ParameterScope scope, PatchGrid grid, int dim, int values, WeightInit init)
    {
        Grid = grid;
        _predict = new Mlp(scope["0"], scope["2"], dim, dim, values, init, init);
    }

    /// <inheritdoc/>
    public PatchGrid Grid { get; }

    /// <inheritdoc/>
    public Tensor Forward(Tensor x, long batch, Step step, out object saved)
    {
        var pred = _predict.Forward(x, step, out var layers);
        saved = step.Keep(layers);
        return pred;
    }

    /// <inheritdoc/>
    public Tensor Backward(Tensor dpred, object saved, Step step) => _predict.Backward(dpred, Step.Kept<Mlp.Saved>(saved), step);
}
