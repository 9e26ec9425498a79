namespace MimNative.Evaluation.Objects;

/// <summary>
/// A mask as COCO packs it: the lengths of runs of pixels outside and inside the object by turns, down one column after the other,
/// beginning outside.
/// </summary>
internal sealed record RunLengths(int Height, int Width, long[] Counts)
{
    /// <summary>
    /// The lengths out of COCO's text: each is a number of 5 bits a letter (its code less 48), the lowest first, 32 saying that more
    /// follow and the last one's 16 that it is negative; from the fourth on it is the difference to the length two before.
    /// </summary>
    /// <exception cref="FormatException">The text is none.</exception>
    public static long[] Decode(string text)
    {
        var counts = new List<long>();
        for (var i = 0; i < text.Length;)
        {
            long value = 0;
            int code, shift = 0;
            do
            {
                code = i < text.Length && text[i] is >= '0' and <= 'o' && shift < 60
                    ? text[i++] - 48
                    : throw new FormatException("no text of run lengths");
                value |= (long)(code & 31) << shift;
                shift += 5;
            }
            while ((code & 32) != 0);
            if ((code & 16) != 0)
            {
                value |= -1L << shift;
            }
            counts.Add(counts.Count > 2 ? value + counts[^2] : value);
        }
        return [.. counts];
    }

    /// <summary>Of each pixel, row by row, 1 inside and 0 outside; null where the lengths do not add up to the picture.</summary>
    public float[]? Shares()
    {
        var shares = new float[Height * Width];
        long place = 0;
        var inside = false;
        foreach (var count in Counts)
        {
            if (count < 0 || count > shares.Length - place)
            {
                return null;
            }
            for (var end = place + count; place < end; place++)
            {
                shares[(place % Height * Width) + (place / Height)] = inside ? 1 : 0;
            }
            inside = !inside;
        }
        return place == shares.Length ? shares : null;
    }
}
