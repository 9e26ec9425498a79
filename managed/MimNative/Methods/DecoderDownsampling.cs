using MimNative.Nn;
using MimNative.Runtime;

namespace MimNative.Methods;

/// <summary>LSMAE's entry to a decoder of fewer tokens: squares of tokens become one each, a class token passes by.</summary>
public sealed class DecoderDownsampling
{
    private readonly StridedConv _conv;

    /// <summary>For the tokens of a grid, squares of <paramref name="side"/> of them.</summary>
    public DecoderDownsampling(ParameterScope scope, PatchGrid grid, int side, long dim) =>
        _conv = new StridedConv(scope, grid.Rows, grid.Columns, side, dim, dim);

    /// <summary>x: (B, E + L, D); returns (B, E + L / side², D).</summary>
    public Tensor Forward(Tensor x, Step step, out Saved saved)
    {
        ArgumentNullException.ThrowIfNull(step);
        var map = _conv.Forward(x, Tensor.None, step, out var conv);
        var before = x[1] - _conv.Tokens;
        saved = new Saved(conv, before);
        if (before == 0)
        {
            return map;
        }
        var y = step.Empty(x.Type, x[0], before + map[1], x[2]);
        Ops.Copy(y.Slice(1, 0, before), x.Slice(1, 0, before), step);
        Ops.Copy(y.Slice(1, before, map[1]), map, step);
        return y;
    }

    /// <summary>The gradient of x.</summary>
    public Tensor Backward(Tensor dy, in Saved saved, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        var before = saved.Before;
        if (before == 0)
        {
            return _conv.Backward(dy, saved.Conv, step);
        }
        var dmap = step.Empty(dy.Type, dy[0], dy[1] - before, dy[2]);
        Ops.Copy(dmap, dy.Slice(1, before, dmap[1]), step);
        var dx = _conv.Backward(dmap, saved.Conv, step);
        Ops.Copy(dx.Slice(1, 0, before), dy.Slice(1, 0, before), step);
        return dx;
    }

    /// <summary>What Backward needs from Forward.</summary>
    public readonly record struct Saved(StridedConv.Saved Conv, long Before);
}
