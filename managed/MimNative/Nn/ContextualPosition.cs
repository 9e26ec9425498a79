namespace MimNative.Nn;

/// <summary>
/// The buckets of iRPE's contextual encoding (Wu et al. 2021, equation 18, product method): offsets up to alpha have a bucket each,
/// farther ones share them logarithmically, per axis; with the ratio 1.9 that LoMaR uses there are 7 x 7 buckets and one for the class
/// token.
/// </summary>
public static class ContextualPosition
{
    private const double Alpha = 1.9, Beta = 2 * Alpha, Gamma = 8 * Alpha;
    private const int Furthest = (int)Beta, Side = (2 * Furthest) + 1;

    /// <summary>Buckets of a table, that of the class token included.</summary>
    public const int Buckets = (Side * Side) + 1;

    /// <summary>The bucket of an offset along one axis, from -3 to 3.</summary>
    public static int Piecewise(int offset)
    {
        double distance = Math.Abs(offset);
        if (distance <= Alpha)
        {
            return offset;
        }
        var along = Math.Round(Alpha + (Math.Log(distance / Alpha) / Math.Log(Gamma / Alpha) * (Beta - Alpha)), MidpointRounding.ToEven);
        return Math.Sign(offset) * (int)Math.Min(along, Beta);
    }

    /// <summary>The bucket of each pair of tokens (query, key) of a grid with a class token in front: (T T) numbers.</summary>
    public static int[] Of(int rows, int columns)
    {
        var tokens = 1 + (rows * columns);
        var buckets = new int[tokens * tokens];
        Array.Fill(buckets, Buckets - 1);
        for (var i = 1; i < tokens; i++)
        {
            for (var j = 1; j < tokens; j++)
            {
                int dr = ((i - 1) / columns) - ((j - 1) / columns), dc = ((i - 1) % columns) - ((j - 1) % columns);
                buckets[(i * tokens) + j] = ((Piecewise(dr) + Furthest) * Side) + Piecewise(dc) + Furthest;
            }
        }
        return buckets;
    }
}
