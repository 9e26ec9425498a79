using MimNative.Runtime;

namespace MimNative.Masking;

/// <summary>
/// The windows of each image of a batch and what is hidden inside them, on the device. Row (n, w) is window w of image n; its S patches
/// are row-major inside the window.
/// </summary>
/// <param name="IdsVisible">(N, W K) i32: the visible patches of an image's windows, numbers of the image's grid; may repeat.</param>
/// <param name="IdsRestore">(N W, S) i32: for each place of a window its rank among the visible patches, K and above where it is hidden.</param>
/// <param name="IdsMasked">(N W, M) i32: the hidden places of a window, numbers inside the window.</param>
/// <param name="PatchesMasked">(N, W M) i32: the same patches, numbers of the image's grid; may repeat.</param>
public readonly record struct WindowMask(Tensor IdsVisible, Tensor IdsRestore, Tensor IdsMasked, Tensor PatchesMasked);

/// <summary>A window's place: its first row and column of patches.</summary>
public readonly record struct WindowPlace(int Top, int Left);

/// <summary>
/// LoMaR's masks (Chen et al. 2022, section 3): windows at random places, no two in the same row or column, and a share of each hidden.
/// </summary>
/// <param name="rows">Rows of patches of an image.</param>
/// <param name="columns">Columns of patches of an image.</param>
/// <param name="side">Side of a window in patches.</param>
/// <param name="windows">Windows of an image; fewer where the grid has no room for so many different rows or columns.</param>
/// <param name="ratio">Share of a window that is hidden.</param>
/// <param name="shared">
/// Whether the batch draws its windows once. Upstream lays out images and windows in different orders, so that row r of its batch joins
/// image r mod N with window r mod W: where N is a multiple of W, every image sees one place, W times with other masks. That is kept.
/// </param>
public sealed class WindowMasking(int rows, int columns, int side, int windows, double ratio, bool shared)
{
    /// <summary>Windows of an image.</summary>
    public int Windows { get; } = Math.Min(windows, Math.Min(rows, columns) - side + 1);

    /// <summary>Patches of a window.</summary>
    public int Size { get; } = side * side;

    /// <summary>Hidden patches of a window.</summary>
    public int Masked { get; } = MaskCounts.LoMaRMasked(side * side, ratio);

    /// <summary>Masks for the samples of a batch: a function of (seed, epoch, sample) alone, shared windows of the first sample.</summary>
    public WindowMask Sample(in BatchKey key, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        var batch = key.Samples.Length;
        WindowPlace[] places = step.Rent<WindowPlace>(batch * Windows), drawn = step.Rent<WindowPlace>(Windows);
        int[] tops = step.Rent<int>(rows - side + 1), lefts = step.Rent<int>(columns - side + 1);
        var orders = step.Rent<int>(batch * Windows * Size);
        for (var n = 0; n < batch; n++)
        {
            if (n == 0 || !shared)
            {
                var place = new SampleRandom(RandomStream.Window, key, key.Samples.Span[n]);
                place.Order(tops);
                place.Order(lefts);
                for (var w = 0; w < Windows; w++)
                {
                    drawn[w] = new WindowPlace(tops[w], lefts[w]);
                }
            }
            var random = new SampleRandom(RandomStream.Mask, key, key.Samples.Span[n]);
            for (var w = 0; w < Windows; w++)
            {
                var row = (n * Windows) + w;
                places[row] = drawn[shared ? ((w * batch) + n) % Windows : w];
                random.Order(orders.AsSpan(row * Size, Size));
            }
        }
        return From(places, orders, step);
    }

    /// <summary>
    /// The mask of windows at the given places, (N W), and for each an order of its patches, (N W, S), of which the first are hidden.
    /// </summary>
    public WindowMask From(ReadOnlySpan<WindowPlace> places, ReadOnlySpan<int> orders, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        var count = places.Length;
        var visible = Size - Masked;
        int[] idsVisible = step.Rent<int>(count * visible), restore = step.Rent<int>(count * Size);
        int[] idsMasked = step.Rent<int>(count * Masked), patchesMasked = step.Rent<int>(count * Masked);
        var hidden = step.Rent<bool>(Size);
        for (var r = 0; r < count; r++)
        {
            hidden.AsSpan().Clear();
            foreach (var place in orders.Slice(r * Size, Masked))
            {
                hidden[place] = true;
            }
            for (int i = 0, seen = 0, unseen = 0; i < Size; i++)
            {
                var patch = Patch(places[r], i);
                if (hidden[i])
                {
                    idsMasked[(r * Masked) + unseen] = i;
                    patchesMasked[(r * Masked) + unseen] = patch;
                    restore[(r * Size) + i] = visible + unseen++;
                }
                else
                {
                    idsVisible[(r * visible) + seen] = patch;
                    restore[(r * Size) + i] = seen++;
                }
            }
        }
        var batch = count / Windows;
        return new WindowMask(
            step.FromHost<int>(idsVisible, batch, Windows * visible), step.FromHost<int>(restore, count, Size),
            step.FromHost<int>(idsMasked, count, Masked), step.FromHost<int>(patchesMasked, batch, Windows * Masked));
    }

    /// <summary>
    /// Windows side by side that cover the whole grid, the last ones moved back to its edge: what a picture is completed with.
    /// </summary>
    public IReadOnlyList<WindowPlace> Tiles()
    {
        IEnumerable<int> Starts(int length) => Enumerable.Range(0, (length + side - 1) / side).Select(i => Math.Min(i * side, length - side));
        return [.. Starts(rows).SelectMany(top => Starts(columns).Select(left => new WindowPlace(top, left)))];
    }

    /// <summary>The patch of an image's grid at a place of a window.</summary>
    public int Patch(WindowPlace window, int inside) =>
        ((window.Top + (inside / side)) * columns) + window.Left + (inside % side);
}
