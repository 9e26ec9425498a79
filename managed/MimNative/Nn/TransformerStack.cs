using MimNative.Runtime;

namespace MimNative.Nn;

/// <summary>Transformer blocks one after the other: the trunk of encoders and decoders.</summary>
public sealed class TransformerStack
{
    private readonly TransformerBlock[] _blocks;

    /// <summary>Blocks registered under <c>{blocks}.0</c>, ...; settings says what each is like.</summary>
    public TransformerStack(ParameterScope scope, string blocks, int depth, Func<int, BlockSettings> settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        _blocks = new TransformerBlock[depth];
        for (var i = 0; i < depth; i++)
        {
            _blocks[i] = new TransformerBlock(scope[$"{blocks}.{i}"], settings(i));
        }
    }

    /// <summary>x: (B T, C), the tokens of B images, which know nothing of where they stand but places for an observer.</summary>
    public Residual Forward(Tensor x, long batch, Step step, out Saved saved, in TokenPlaces places = default)
    {
        var contexts = step.Rent<BlockContext>(1);
        contexts[0] = new BlockContext { Places = places };
        return Forward(x, batch, contexts, Asked.All, step, out saved);
    }

    /// <summary>
    /// x: (B T, C), the tokens of B images; block i has context i mod their number. Where patches are asked for, only their
    /// tokens come out: (B M, C).
    /// </summary>
    public Residual Forward(Tensor x, long batch, BlockContext[] contexts, in Asked asked, Step step, out Saved saved)
    {
        ArgumentNullException.ThrowIfNull(contexts);
        ArgumentNullException.ThrowIfNull(step);
        var blocks = step.Rent<TransformerBlock.Saved>(_blocks.Length);
        var stream = new Residual(x, Tensor.None);
        var branch = step.EmptyLike(x);     // of one block after the other: the next one's first sum takes it up
        for (var i = 0; i < _blocks.Length; i++)
        {
            ref readonly var context = ref contexts[i % contexts.Length];
            var dropPath = context.DropPath.IsAbsent ? Tensor.None : context.DropPath.Slice(0, 2 * i, 2);
            var askedNow = i + 1 == _blocks.Length ? asked : Asked.All;
            var branchNow = askedNow.IsAll ? branch : branch.Slice(0, 0, asked.Count);
            stream = _blocks[i].Forward(stream, batch, context, dropPath, askedNow, branchNow, step, out blocks[i]);
        }
        saved = new Saved(blocks, contexts);
        return stream;
    }

    /// <summary>The gradient of x from that of the sum, which is overwritten.</summary>
    public Tensor Backward(Tensor dy, in Saved saved, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        var dx = dy;
        for (var i = _blocks.Length - 1; i >= 0; i--)
        {
            dx = _blocks[i].Backward(dx, saved.Blocks[i], saved.Contexts[i % saved.Contexts.Length], step);
        }
        return dx;
    }

    /// <summary>What Backward needs from Forward.</summary>
    public readonly record struct Saved(TransformerBlock.Saved[] Blocks, BlockContext[] Contexts);
}
