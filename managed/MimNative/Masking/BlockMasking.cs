using MimNative.Runtime;

namespace MimNative.Masking;

/// <summary>Which tokens of each image of a batch are replaced by a mask token, on the device.</summary>
/// <param name="Tokens">(B, L) f32: 1 = hidden, row-major over the grid of tokens.</param>
/// <param name="Pixels">(B, h, w) f32: the weight in the loss of each cell of the image.</param>
/// <param name="Hidden">(B, M) i32: the hidden tokens in order; absent where they are not as many in every image.</param>
public readonly record struct PatchMask(Tensor Tokens, Tensor Pixels, Tensor Hidden);

/// <summary>
/// SimMIM's masks (Xie et al. 2022, section 3.1): squares of mask patches, larger than the encoder's patches, that are hidden as a whole;
/// chosen at random, or as one rectangle, or block-wise.
/// </summary>
public sealed class BlockMasking
{
    private readonly MaskKind _kind;
    private readonly double _ratio;
    private readonly int _rows, _columns, _unit;
    private readonly double _cell;
    private readonly bool _allPixels;

    /// <summary>For a grid of tokens.</summary>
    /// <param name="kind">How mask patches are chosen.</param>
    /// <param name="ratio">Share that is hidden.</param>
    /// <param name="rows">Rows of tokens.</param>
    /// <param name="columns">Columns of tokens.</param>
    /// <param name="unit">Side of a mask patch in tokens; divides both.</param>
    /// <param name="cell">
    /// Side in tokens of the cells that the loss weighs: more than 1 where the target is coarser than the tokens, 1 over a whole number where
    /// predictions are finer.
    /// </param>
    /// <param name="allPixels">Whether the loss counts every pixel.</param>
    public BlockMasking(MaskKind kind, double ratio, int rows, int columns, int unit, double cell = 1, bool allPixels = false)
    {
        if (unit < 1 || rows % unit != 0 || columns % unit != 0)
        {
            throw new ArgumentException($"mask patches of {unit} x {unit} tokens do not divide a grid of {rows} x {columns}");
        }
        if (!double.IsInteger(rows / cell) || !double.IsInteger(columns / cell) || !double.IsInteger(Math.Max(cell, 1 / cell)))
        {
            throw new ArgumentException($"cells of {cell} x {cell} tokens do not divide a grid of {rows} x {columns}");
        }
        (_kind, _ratio, _rows, _columns, _unit, _cell, _allPixels) = (kind, ratio, rows, columns, unit, cell, allPixels);
    }

    private int UnitRows => _rows / _unit;

    private int UnitColumns => _columns / _unit;

    /// <summary>Masks for the samples of a batch: a function of (seed, epoch, sample) alone.</summary>
    public PatchMask Sample(in BatchKey key, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        var hidden = step.Rent<bool>(key.Samples.Length * _rows * _columns);
        var units = step.Rent<bool>(UnitRows * UnitColumns);
        var order = step.Rent<int>(units.Length);
        for (var b = 0; b < key.Samples.Length; b++)
        {
            Draw(hidden.AsSpan(b * _rows * _columns, _rows * _columns), key, b, units, order);
        }
        return FromTokens(hidden, step);
    }

    /// <summary>The tokens that the mask of the first sample hides.</summary>
    public bool[] SampleHidden(in BatchKey key)
    {
        var hidden = new bool[_rows * _columns];
        Draw(hidden, key, 0, new bool[UnitRows * UnitColumns], new int[UnitRows * UnitColumns]);
        return hidden;
    }

    /// <summary>The mask of an order of mask patches: the first of them are hidden, as many as the ratio asks for.</summary>
    public bool[] FromOrder(ReadOnlySpan<int> order)
    {
        var hidden = new bool[_rows * _columns];
        var units = new bool[order.Length];
        HideFirst(order, units);
        Expand(units, hidden);
        return hidden;
    }

    /// <summary>A mask that hides the given tokens (B L).</summary>
    public PatchMask FromTokens(ReadOnlySpan<bool> hidden, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        var batch = hidden.Length / (_rows * _columns);
        var tokens = step.Rent<float>(hidden.Length);
        for (var i = 0; i < tokens.Length; i++)
        {
            tokens[i] = hidden[i] ? 1 : 0;
        }
        int rows = (int)(_rows / _cell), columns = (int)(_columns / _cell);
        // Of tokens and cells, the finer ones are walked: a cell has the mean of its tokens, or what its token has.
        int fineRows = Math.Max(rows, _rows), fineColumns = Math.Max(columns, _columns);
        var share = 1f / (fineRows / rows * (fineColumns / columns));
        var pixels = step.Rent<float>(batch * rows * columns);
        pixels.AsSpan().Clear();
        for (var i = 0; i < batch * fineRows * fineColumns; i++)
        {
            int image = i / (fineRows * fineColumns), row = i / fineColumns % fineRows, column = i % fineColumns;
            var token = tokens[(((image * _rows) + (row * _rows / fineRows)) * _columns) + (column * _columns / fineColumns)];
            pixels[(((image * rows) + (row * rows / fineRows)) * columns) + (column * columns / fineColumns)] +=
                share * (_allPixels ? 1 : token);
        }
        return new PatchMask(
            step.FromHost<float>(tokens, batch, _rows * _columns), step.FromHost<float>(pixels, batch, rows, columns),
            Hidden(hidden, batch, step));
    }

    private Tensor Hidden(ReadOnlySpan<bool> hidden, int batch, Step step)
    {
        var each = hidden[..(_rows * _columns)].Count(true);
        var ids = step.Rent<int>(batch * each);
        for (int b = 0, i = 0; b < batch; b++)
        {
            var image = hidden.Slice(b * _rows * _columns, _rows * _columns);
            if (each == 0 || image.Count(true) != each)
            {
                return Tensor.None;
            }
            for (var l = 0; l < image.Length; l++)
            {
                if (image[l])
                {
                    ids[i++] = l;
                }
            }
        }
        return step.FromHost<int>(ids, batch, each);
    }

    // units and order are memory to work in, of a number for each mask patch.
    private void Draw(Span<bool> hidden, in BatchKey key, int sample, Span<bool> units, Span<int> order)
    {
        var random = new SampleRandom(RandomStream.Mask, key, key.Samples.Span[sample]);
        units.Clear();
        switch (_kind)
        {
            case MaskKind.Square:
                HideSquare(ref random, units);
                break;
            case MaskKind.Block:
                HideBlocks(ref random, units);
                break;
        }
        if (!units.Contains(true))  // of the random kind, and of a grid too narrow for any rectangle of the block-wise one
        {
            random.Order(order);
            HideFirst(order, units);
        }
        Expand(units, hidden);
    }

    // The mask patches at the beginning of an order, as many as the ratio asks for.
    private void HideFirst(ReadOnlySpan<int> order, Span<bool> units)
    {
        foreach (var unit in order[..MaskCounts.SimMimMasked(order.Length, _ratio)])
        {
            units[unit] = true;
        }
    }

    // A rectangle of the grid's own shape, whose sides are the root of the ratio of the grid's.
    private void HideSquare(ref SampleRandom random, Span<bool> units)
    {
        int height = Side(UnitRows), width = Side(UnitColumns);
        Fill(units, random.Below(UnitRows - height + 1), random.Below(UnitColumns - width + 1), height, width);

        int Side(int of) => Math.Clamp((int)Math.Round(of * Math.Sqrt(_ratio)), 1, of);
    }

    // BEiT's (Bao et al. 2022, algorithm 1): rectangles of at least 16 patches, or of all that is missing, with an aspect ratio from 0.3 to
    // 1 / 0.3 even in the logarithm, until the share is reached; one that would hide nothing new or too much is drawn again.
    private void HideBlocks(ref SampleRandom random, Span<bool> units)
    {
        const int Smallest = 16, Attempts = 10;
        const double Aspect = 0.3;
        var missing = MaskCounts.SimMimMasked(units.Length, _ratio);
        for (var failed = 0; missing > 0 && failed < Attempts;)
        {
            var area = Math.Min(Smallest, missing) + (random.Next() * Math.Max(0, missing - Smallest));
            var aspect = Math.Exp(Math.Log(Aspect) * (1 - (2 * random.Next())));
            var height = (int)Math.Round(Math.Sqrt(area * aspect));
            var width = (int)Math.Round(Math.Sqrt(area / aspect));
            var hidden = 0;
            if (height >= 1 && width >= 1 && height <= UnitRows && width <= UnitColumns)
            {
                int top = random.Below(UnitRows - height + 1), left = random.Below(UnitColumns - width + 1);
                var isNew = (height * width) - Count(units, top, left, height, width);
                if (isNew > 0 && isNew <= missing)
                {
                    Fill(units, top, left, height, width);
                    hidden = isNew;
                }
            }
            missing -= hidden;
            failed = hidden > 0 ? 0 : failed + 1;
        }
    }

    private void Fill(Span<bool> units, int top, int left, int height, int width)
    {
        for (var row = top; row < top + height; row++)
        {
            units.Slice((row * UnitColumns) + left, width).Fill(true);
        }
    }

    private int Count(ReadOnlySpan<bool> units, int top, int left, int height, int width)
    {
        var count = 0;
        for (var row = top; row < top + height; row++)
        {
            count += units.Slice((row * UnitColumns) + left, width).Count(true);
        }
        return count;
    }

    private void Expand(ReadOnlySpan<bool> units, Span<bool> tokens)
    {
        for (var i = 0; i < tokens.Length; i++)
        {
            tokens[i] = units[(i / _columns / _unit * UnitColumns) + (i % _columns / _unit)];
        }
    }
}
