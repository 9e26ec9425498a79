using MimNative.Runtime;

namespace MimNative.Nn;

/// <summary>A stage of ConvMAE's convolutional blocks on maps of one resolution, after the LayerNorm and GELU of the embedding before it.</summary>
public sealed class ConvStage
{
    private readonly NormGelu _embedding;
    private readonly ConvBlock[] _blocks;

    /// <summary>Blocks registered under <c>{blocks}.0</c>, ...; the embedding's LayerNorm under <c>{embedding}.norm</c>.</summary>
    public ConvStage(
        ParameterScope scope, string embedding, string blocks, int rows, int columns, long dim, int depth, double mlpRatio, float eps,
        WeightInit init)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(depth, 1);
        _embedding = new NormGelu(scope[embedding]["norm"], dim, eps);
        _blocks = new ConvBlock[depth];
        for (var i = 0; i < depth; i++)
        {
            _blocks[i] = new ConvBlock(scope[$"{blocks}.{i}"], rows, columns, dim, mlpRatio, eps, init);
        }
    }

    /// <summary>x: (B, L, C), the embedding's convolution; keep: (B, H, W) f32 or absent. Returns (B, L, C).</summary>
    public Tensor Forward(Tensor x, Tensor keep, Step step, out Saved saved)
    {
        ArgumentNullException.ThrowIfNull(step);
        var blocks = step.Rent<ConvBlock.Saved>(_blocks.Length);
        var stream = new Residual(_embedding.Forward(x.Rows(), step, out var embedding), Tensor.None);
        var branch = step.EmptyLike(stream.Stream);     // of one block after the other: the next one's first sum takes it up
        for (var i = 0; i < _blocks.Length; i++)
        {
            stream = _blocks[i].Forward(stream, keep, branch, step, out blocks[i]);
        }
        Ops.Add(branch, stream.Stream, branch, step);
        saved = new Saved(embedding, blocks, keep);
        return branch.Reshape(x[0], x[1], x[2]);
    }

    /// <summary>The gradient of x from that of the answer, which is overwritten.</summary>
    public Tensor Backward(Tensor dy, in Saved saved, Step step)
    {
        var dx = dy.Rows();
        for (var i = _blocks.Length - 1; i >= 0; i--)
        {
            dx = _blocks[i].Backward(dx, saved.Keep, saved.Blocks[i], step);
        }
        return _embedding.Backward(dx, saved.Embedding, step).Reshape(dy[0], dy[1], dy[2]);
    }

    /// <summary>What Backward needs from Forward.</summary>
    public readonly record struct Saved(NormGelu.Saved Embedding, ConvBlock.Saved[] Blocks, Tensor Keep);
}
