using MimNative.Runtime;

namespace MimNative.Nn;

/// <summary>
/// A convolution of a token map whose kernel and stride are the same: each block of k x k tokens becomes one, as a matrix product over
/// the blocks that are wanted, and no others.
/// </summary>
public sealed class StridedConv
{
    private readonly BlockWeight _weight;
    private readonly Parameter _bias;
    private readonly TokenOrder _order;
    private readonly long _outputs;
    private readonly int _blocks;

    /// <summary>For a map of rows x columns tokens, multiples of the kernel.</summary>
    /// <param name="scope">Where <c>weight</c> (N, C, k, k) and <c>bias</c> are registered.</param>
    /// <param name="rows">Rows of the map.</param>
    /// <param name="columns">Columns of the map.</param>
    /// <param name="kernel">k.</param>
    /// <param name="inputs">C, channels of a token.</param>
    /// <param name="outputs">N, channels of the answer.</param>
    /// <param name="init">The first weights.</param>
    public StridedConv(
        ParameterScope scope, int rows, int columns, int kernel, long inputs, long outputs, WeightInit? init = null)
    {
        RequireBlocks(rows, columns, kernel);
        var weights = (init ?? WeightInits.Convolution)(inputs * kernel * kernel, outputs);
        _weight = new BlockWeight(scope.Add("weight", weights, trainable: true, outputs, inputs, kernel, kernel), [0, 2, 1]);
        _bias = scope.Add("bias", Initializer.Zeros, trainable: true, outputs);
        _order = new TokenOrder(new TokenBlocks(rows, columns, kernel, ColumnsOutside: false).Order());
        _outputs = outputs;
        Tokens = rows * columns;
        _blocks = Tokens / (kernel * kernel);
    }

    /// <summary>L, tokens of the map.</summary>
    public int Tokens { get; }

    /// <summary>
    /// x: (B, E + L, C), the map behind E tokens that play no part; ids: (B, M), the blocks that are wanted, row-major over them, absent
    /// for all. Returns (B, M, N).
    /// </summary>
    public Tensor Forward(Tensor x, Tensor ids, Step step, out Saved saved)
    {
        ArgumentNullException.ThrowIfNull(step);
        var before = (int)(x[1] - Tokens);
        var order = _order.Ids(x[0], step);
        var blocks = Ops.GatherTokens(x, order, before, step).Reshape(x[0], _blocks, -1);     // (B, L / k², k² C)
        var wanted = ids.IsAbsent ? blocks : Ops.GatherTokens(blocks, ids, first: 0, step);
        var weight = _weight.Forward(_outputs, step);
        var y = Ops.Linear(wanted.Rows(), weight, _bias.Value, step);
        saved = new Saved(wanted, weight, order, ids, x[1]);
        return y.Reshape(x[0], wanted[1], -1);
    }

    /// <summary>The gradient of x (B, E + L, C), zero before the map and where no block was wanted.</summary>
    public Tensor Backward(Tensor dy, in Saved saved, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        var batch = saved.Blocks[0];
        using var temporaries = step.Temporaries();
        var dweight = _weight.Gradient(_outputs, step);
        var dwanted = Ops.LinearBackward(dy.Rows(), saved.Blocks.Rows(), saved.Weight, dweight, _bias.Grad, step)
            .Reshape(batch, -1, saved.Blocks[2]);
        _weight.Keep(dweight, step);
        var dblocks = saved.Ids.IsAbsent ? dwanted : Ops.GatherTokensBackward(dwanted, saved.Ids, first: 0, _blocks, step);
        return Ops.GatherTokensBackward(
            dblocks.Reshape(batch, Tokens, -1), saved.Order, (int)(saved.All - Tokens), saved.All, step);
    }

    internal static void RequireBlocks(int rows, int columns, int kernel)
    {
        if (kernel < 1 || rows % kernel != 0 || columns % kernel != 0)
        {
            throw new ArgumentException($"blocks of {kernel} x {kernel} tokens do not tile a map of {rows} x {columns}");
        }
    }

    /// <summary>What Backward needs from Forward.</summary>
    public readonly record struct Saved(Tensor Blocks, Tensor Weight, Tensor Order, Tensor Ids, long All);
}
