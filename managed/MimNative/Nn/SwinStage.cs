using MimNative.Runtime;

namespace MimNative.Nn;

/// <summary>
/// Blocks of a Swin transformer at one resolution (Liu et al. 2021, section 3.2): attention inside windows, in every second block inside
/// windows shifted by half their side, with a relative position bias of each block's own.
/// </summary>
public sealed class SwinStage
{
    private readonly TransformerStack _stack;
    private readonly Partition[] _partitions;
    private readonly int[]? _index;
    private readonly int _depth;
    private readonly TokenPlaces _places;

    /// <summary>Registers <c>blocks.0</c>, ... over a grid of tokens.</summary>
    public SwinStage(
        ParameterScope scope, int rows, int columns, int window, int depth, BlockSettings block, bool relativePosition = true)
    {
        _depth = depth;
        _places = new TokenPlaces(rows, columns, ClassToken: false);
        _partitions = [.. Enumerable.Range(0, 2).Select(i => new Partition(WindowPartition.OfBlock(rows, columns, window, i)))];
        var side = _partitions[0].Of.Window;
        _index = relativePosition ? RelativePositionBias.Index(side, side, classToken: false) : null;
        var settings = block with
        {
            RelativePositions = relativePosition ? RelativePositionBias.Rows(side, side, classToken: false) : 0,
            RelativeInit = new Initializer.Normal(0.02),
        };
        _stack = new TransformerStack(scope, "blocks", depth, _ => settings);
    }

    /// <summary>x: the tokens (B L, C) of B grids; dropPath: (2 depth, B) or absent.</summary>
    public Residual Forward(Tensor x, long batch, Tensor dropPath, Step step, out Saved saved)
    {
        ArgumentNullException.ThrowIfNull(step);
        var contexts = step.Rent<BlockContext>(Math.Min(2, _depth));
        var size = _partitions[0].Of.Size;
        var index = _index is null ? Tensor.None : step.Resident(_index, size, size);
        for (var i = 0; i < contexts.Length; i++)
        {
            contexts[i] = new BlockContext(_partitions[i].Position(step), Tensor.None, index, dropPath) { Places = _places };
        }
        var stream = _stack.Forward(x, batch, contexts, Asked.All, step, out var stackSaved);
        saved = new Saved(stackSaved);
        return stream;
    }

    /// <summary>The gradient of x from that of the sum.</summary>
    public Tensor Backward(Tensor dy, in Saved saved, Step step) => _stack.Backward(dy, saved.Stack, step);

    /// <summary>What Backward needs from Forward.</summary>
    public readonly record struct Saved(TransformerStack.Saved Stack);

    // A partition and its tables.
    private sealed class Partition(WindowPartition of)
    {
        private readonly int[] _tokens = of.Tokens();
        private readonly float[] _mask = of.Mask();

        public WindowPartition Of { get; } = of;

        public AttentionPosition Position(Step step) => new()
        {
            Windows = step.Resident(_tokens, Of.Count, Of.Size),
            Mask = _mask.Length == 0 ? Tensor.None : step.Resident(_mask, Of.Count, Of.Size, Of.Size),
        };
    }
}
