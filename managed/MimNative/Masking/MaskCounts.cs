namespace MimNative.Masking;

/// <summary>
/// How many patches each method's masks take, counted in double as upstream counts: MAE cuts off what it keeps, LoMaR what it
/// removes, and SimMIM rounds up what it removes.
/// </summary>
public static class MaskCounts
{
    /// <summary>Patches that MAE keeps of L: trunc(L (1 - ratio)).</summary>
    public static int MaeKept(int patches, double ratio) => (int)(patches * (1 - ratio));

    /// <summary>Patches that LoMaR removes of a window of L: trunc(L ratio).</summary>
    public static int LoMaRMasked(int patches, double ratio) => (int)(patches * ratio);

    /// <summary>Mask units that SimMIM removes of L: ceil(L ratio).</summary>
    public static int SimMimMasked(int units, double ratio) => (int)Math.Ceiling(units * ratio);
}
