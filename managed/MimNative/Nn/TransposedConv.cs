using MimNative.Runtime;

namespace MimNative.Nn;

/// <summary>A transposed convolution of a token map whose kernel and stride are the same: each token becomes a block of k x k.</summary>
public sealed class TransposedConv
{
    private readonly BlockWeight _weight;
    private readonly Parameter _bias;
    private readonly TokenOrder _places;
    private readonly long _outputs;
    private readonly int _cells;

    /// <summary>For a map of rows x columns tokens.</summary>
    /// <param name="scope">Where <c>weight</c> (C, N, k, k) and <c>bias</c> are registered.</param>
    /// <param name="rows">Rows of the map that goes in.</param>
    /// <param name="columns">Columns of the map that goes in.</param>
    /// <param name="kernel">k.</param>
    /// <param name="inputs">C, channels of a token.</param>
    /// <param name="outputs">N, channels of the answer.</param>
    /// <param name="init">The first weights.</param>
    public TransposedConv(
        ParameterScope scope, int rows, int columns, int kernel, long inputs, long outputs, WeightInit? init = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(kernel, 1);
        _outputs = outputs;
        _cells = kernel * kernel;
        var weights = (init ?? WeightInits.Convolution)(outputs * _cells, inputs);
        _weight = new BlockWeight(scope.Add("weight", weights, trainable: true, inputs, outputs, kernel, kernel), [2, 1, 0]);
        _bias = scope.Add("bias", Initializer.Zeros, trainable: true, outputs);
        _places = new TokenOrder(new TokenBlocks(rows * kernel, columns * kernel, kernel, ColumnsOutside: false).Places());
    }

    /// <summary>x: (B, L, C); returns (B, k² L, N), row-major over the finer map.</summary>
    public Tensor Forward(Tensor x, Step step, out Saved saved)
    {
        ArgumentNullException.ThrowIfNull(step);
        var weight = _weight.Forward(_cells * _outputs, step);                                // (k² N, C)
        var bias = step.Empty(DType.F32, _cells * _outputs);
        for (var i = 0; i < _cells; i++)
        {
            Ops.Copy(bias.Slice(0, i * _outputs, _outputs), _bias.Value, step);
        }
        var blocks = Ops.Linear(x.Rows(), weight, bias, step).Reshape(x[0], _cells * x[1], _outputs);
        var places = _places.Ids(x[0], step);
        saved = new Saved(x, weight, places);
        return Ops.GatherTokens(blocks, places, first: 0, step);
    }

    /// <summary>The gradient of x.</summary>
    public Tensor Backward(Tensor dy, in Saved saved, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        using var temporaries = step.Temporaries();
        var dblocks = Ops.GatherTokensBackward(dy, saved.Places, first: 0, dy[1], step).Reshape(-1, _cells * _outputs);
        var dweight = _weight.Gradient(_cells * _outputs, step);
        var dbias = step.Temporary(DType.F32, _cells * _outputs);
        Ops.Fill(dbias, 0, step);
        var dx = Ops.LinearBackward(dblocks, saved.X.Rows(), saved.Weight, dweight, dbias, step);
        _weight.Keep(dweight, step);
        for (var i = 0; i < _cells; i++)
        {
            Ops.Add(_bias.Grad, _bias.Grad, dbias.Slice(0, i * _outputs, _outputs), step);
        }
        return dx.Reshape(saved.X[0], saved.X[1], -1);
    }

    /// <summary>What Backward needs from Forward.</summary>
    public readonly record struct Saved(Tensor X, Tensor Weight, Tensor Places);
}
