using MimNative.Runtime;

namespace MimNative.Nn;

/// <summary>One order of tokens for every image of a batch, resident on the device. A model sees few sizes of a batch.</summary>
/// <param name="order">The tokens, (L) numbers.</param>
public sealed class TokenOrder(int[] order)
{
    private readonly Dictionary<long, int[]> _ofBatch = [];

    /// <summary>All tokens as they are.</summary>
    public static TokenOrder All(int count) => new([.. Enumerable.Range(0, count)]);

    /// <summary>(B, L) i32.</summary>
    public Tensor Ids(long batch, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        if (!_ofBatch.TryGetValue(batch, out var ids))
        {
            ids = new int[batch * order.Length];
            for (var i = 0; i < ids.Length; i++)
            {
                ids[i] = order[i % order.Length];
            }
            _ofBatch.Add(batch, ids);
        }
        return step.Resident(ids, batch, order.Length);
    }
}
