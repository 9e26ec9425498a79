using MimNative.Runtime;

namespace MimNative.Masking;

/// <summary>Sets of patches that are the same for every image.</summary>
public static class PatchIds
{
    /// <summary>All patches in order: (B, L) i32.</summary>
    public static Tensor All(long batch, int count, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        var ids = new int[batch * count];
        for (var i = 0; i < ids.Length; i++)
        {
            ids[i] = i % count;
        }
        return step.FromHost<int>(ids, batch, count);
    }
}
