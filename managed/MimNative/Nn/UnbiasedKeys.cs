using MimNative.Runtime;

namespace MimNative.Nn;

/// <summary>
/// The projection to queries, keys and values whose keys have no bias (BEiT, and so SimMIM's ViT): a bias of the keys shifts all scores
/// of a query alike, and the softmax takes that out again.
/// </summary>
internal sealed class UnbiasedKeys
{
    private readonly Parameter _queryBias;
    private readonly Parameter _valueBias;
    private readonly Parameter _weight;
    private readonly long _dim;

    public UnbiasedKeys(ParameterScope scope, long dim, WeightInit init)
    {
        _dim = dim;
        _queryBias = scope.Add("q_bias", Initializer.Zeros, trainable: true, dim);
        _valueBias = scope.Add("v_bias", Initializer.Zeros, trainable: true, dim);
        _weight = scope["qkv"].Add("weight", init(dim, 3 * dim), trainable: true, 3 * dim, dim);
    }

    public Tensor Forward(Tensor x, Step step, out Linear.Saved saved)
    {
        saved = new Linear.Saved(x);
        var bias = Ops.Filled(0, DType.F32, step, 3 * _dim);
        Ops.Copy(bias.Slice(0, 0, _dim), _queryBias.Value, step);
        Ops.Copy(bias.Slice(0, 2 * _dim, _dim), _valueBias.Value, step);
        return Ops.Linear(x, _weight.Weight(step), bias, step);
    }

    public Tensor Backward(Tensor dy, in Linear.Saved saved, Step step)
    {
        BiasBackward(dy, saved.X, _queryBias, 0, step);
        BiasBackward(dy, saved.X, _valueBias, 2 * _dim, step);
        return Ops.LinearBackward(dy, saved.X, _weight.Weight(step), _weight.Grad, Tensor.None, step);
    }

    // Sums the columns of a third of dy.
    private void BiasBackward(Tensor dy, Tensor x, Parameter bias, long first, Step step) => Ops.LinearBackward(
        dy.Slice(1, first, _dim), x, _weight.Weight(step).Slice(0, first, _dim), Tensor.None, bias.Grad, step, wantInput: false);
}
