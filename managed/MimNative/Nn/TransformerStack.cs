using MimNative.Runtime;

namespace MimNative.Nn;

/// <summary>Transformer blocks one after the other, then a LayerNorm: the trunk of encoders and decoders.</summary>
public sealed class TransformerStack
{
    private readonly TransformerBlock[] _blocks;
    private readonly LayerNorm _norm;

    /// <summary>Registers the blocks under <c>{blocks}.0</c>, ... and the LayerNorm under <c>{norm}</c>.</summary>
    public TransformerStack(
        ParameterScope scope, string blocks, string norm, int depth, long dim, int heads, double mlpRatio, float eps)
    {
        _blocks = new TransformerBlock[depth];
        for (var i = 0; i < depth; i++)
        {
            _blocks[i] = new TransformerBlock(scope[$"{blocks}.{i}"], dim, heads, (long)(dim * mlpRatio), eps);
        }
        _norm = new LayerNorm(scope[norm], dim, eps);
    }

    /// <summary>x: (B T, C), the tokens of B images.</summary>
    public Tensor Forward(Tensor x, long batch, Step step, out Saved saved)
    {
        var blocks = step.Rent<TransformerBlock.Saved>(_blocks.Length);
        var marks = step.Rent<long>(_blocks.Length);
        var stream = new Residual(x, Tensor.None);
        for (var i = 0; i < _blocks.Length; i++)
        {
            marks[i] = step.Mark();
            stream = _blocks[i].Forward(stream, batch, step, out blocks[i]);
        }
        var y = _norm.Forward(stream, step, out var normSaved);
        saved = new Saved(blocks, marks, normSaved);
        return y;
    }

    /// <summary>The gradient of x. What the blocks saved is released as it is used up, last block first.</summary>
    public Tensor Backward(Tensor dy, in Saved saved, Step step)
    {
        var dx = _norm.Backward(dy, Tensor.None, saved.Norm, step);
        for (var i = _blocks.Length - 1; i >= 0; i--)
        {
            dx = _blocks[i].Backward(dx, saved.Blocks[i], step);
            dx = step.Rewind(saved.Marks[i], dx);
        }
        return dx;
    }

    /// <summary>What Backward needs from Forward.</summary>
    public readonly record struct Saved(TransformerBlock.Saved[] Blocks, long[] Marks, LayerNorm.Saved Norm);
}
