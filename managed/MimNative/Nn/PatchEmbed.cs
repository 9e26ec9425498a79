using MimNative.Runtime;

namespace MimNative.Nn;

/// <summary>
/// Patch embedding: a convolution whose kernel and stride are the patch, computed as a matrix product over the kept patches only.
/// </summary>
public sealed class PatchEmbed
{
    private readonly PatchGrid _grid;
    private readonly Parameter _weight;
    private readonly Parameter _bias;
    private readonly long _dim;

    /// <summary>
    /// An embedding into <paramref name="dim"/> channels, initialised like a linear layer: Xavier (MAE, section A.1) if nothing else is said.
    /// </summary>
    public PatchEmbed(ParameterScope scope, PatchGrid grid, long dim, WeightInit? init = null)
    {
        _grid = grid;
        _dim = dim;
        var proj = scope["proj"];
        _weight = proj.Add(
            "weight", (init ?? WeightInits.Xavier)(grid.PatchSize, dim), trainable: true,
            dim, grid.Channels, grid.Patch, grid.Patch);
        _bias = proj.Add("bias", Initializer.Zeros, trainable: true, dim);
    }

    /// <summary>images: (B, C, H, W) f32; ids: (B, K) kept patches, absent for all. Returns (B, K, D).</summary>
    public Tensor Forward(Tensor images, Tensor ids, Step step, out Saved saved)
    {
        var patches = Ops.Patchify(images, ids, _grid.Patch, PatchOrder.ChannelsFirst, step.Compute, step);  // (B, K, P)
        saved = new Saved(patches, ids);
        var x = Ops.Linear(patches.Rows(), _weight.WeightAs(step, _dim, _grid.PatchSize), _bias.Value, step);
        return x.Reshape(patches[0], patches[1], _dim);
    }

    /// <summary>Adds to the gradients of the weights, and to <paramref name="dimages"/> where it is given.</summary>
    public void Backward(Tensor dx, Tensor dimages, in Saved saved, Step step)
    {
        var dpatches = Ops.LinearBackward(
            dx.Rows(), saved.Patches.Rows(), _weight.WeightAs(step, _dim, _grid.PatchSize),
            _weight.GradAs(_dim, _grid.PatchSize), _bias.Grad, step, wantInput: !dimages.IsAbsent);
        if (!dimages.IsAbsent)
        {
            Ops.PatchifyBackward(
                dimages, dpatches.Reshape(saved.Patches.Shape), saved.Ids, _grid.Patch, PatchOrder.ChannelsFirst, step);
        }
    }

    /// <summary>What Backward needs from Forward.</summary>
    public readonly record struct Saved(Tensor Patches, Tensor Ids);
}
