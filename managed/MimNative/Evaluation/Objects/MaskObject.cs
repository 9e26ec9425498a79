using MimNative.Data;
using MimNative.Runtime;

namespace MimNative.Evaluation.Objects;

/// <summary>An object of any shape: of each pixel of a part of the picture, the share that belongs to it.</summary>
public sealed class MaskObject : PictureObject
{
    private readonly Box _place;
    private readonly double[] _sums;  // (height + 1, width + 1): of all shares above and to the left

    /// <summary>Of shares from 0 to 1.</summary>
    /// <param name="place">The part of the picture that the shares are about; outside it there is nothing of the object.</param>
    /// <param name="shares">(place.Height, place.Width).</param>
    public MaskObject(Box place, ReadOnlySpan<float> shares)
    {
        int height = place.Height, width = place.Width;
        if (height < 1 || width < 1 || shares.Length != (long)height * width)
        {
            throw new ArgumentException($"a mask of {height} x {width} pixels has {(long)height * width} shares; {shares.Length} came");
        }
        _place = place;
        _sums = new double[(height + 1) * (width + 1)];
        int top = height, left = width, bottom = 0, right = 0;
        for (var y = 0; y < height; y++)
        {
            double row = 0;
            for (var x = 0; x < width; x++)
            {
                var share = shares[(y * width) + x];
                row += share;
                _sums[((y + 1) * (width + 1)) + x + 1] = _sums[(y * (width + 1)) + x + 1] + row;
                if (share > 0)
                {
                    (top, left) = (Math.Min(top, y), Math.Min(left, x));
                    (bottom, right) = (Math.Max(bottom, y + 1), Math.Max(right, x + 1));
                }
            }
        }
        Bounds = right == 0
            ? throw new ArgumentException("a mask without a pixel is no object")
            : new Region(place.Top + top, place.Left + left, place.Top + bottom, place.Left + right);
    }

    /// <inheritdoc/>
    public override Region Bounds { get; }

    /// <inheritdoc/>
    public override double AreaIn(in Region region)
    {
        var inside = region.Intersect(Region.Of(_place));
        if (inside.Area == 0)
        {
            return 0;
        }
        double top = inside.Top - _place.Top, left = inside.Left - _place.Left;
        double bottom = inside.Bottom - _place.Top, right = inside.Right - _place.Left;
        return Math.Max(0, Sum(bottom, right) - Sum(top, right) - Sum(bottom, left) + Sum(top, left));
    }

    // A pixel is of one share all over, so between the corners of pixels the sums are bilinear: the area is exact.
    private double Sum(double y, double x)
    {
        int row = Math.Min((int)y, _place.Height - 1), column = Math.Min((int)x, _place.Width - 1);
        double down = y - row, along = x - column;
        int at = (row * (_place.Width + 1)) + column, below = at + _place.Width + 1;
        var above = _sums[at] + (along * (_sums[at + 1] - _sums[at]));
        return above + (down * (_sums[below] + (along * (_sums[below + 1] - _sums[below])) - above));
    }
}
