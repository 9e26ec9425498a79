using MimNative.Runtime;

namespace MimNative.Nn;

/// <summary>
/// Stochastic depth per sample (Huang et al. 2016; "drop path"): block i of n leaves out its branches for a share of the samples that
/// rises linearly from 0 at the first block to the rate at the last, and scales those it keeps.
/// </summary>
public sealed class StochasticDepth(double rate, int depth)
{
    /// <summary>The share of samples that a block leaves out.</summary>
    public double Rate(int block) => depth > 1 ? rate * block / (depth - 1) : 0;

    /// <summary>
    /// The factors of a batch: (2 depth, B) f32, two branches for each block, 0 or 1 / (1 - rate); functions of (seed, epoch, sample).
    /// Absent where nothing is left out.
    /// </summary>
    public Tensor Draw(in BatchKey key, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        if (rate == 0)
        {
            return Tensor.None;
        }
        var batch = key.Samples.Length;
        var factors = step.Rent<float>(2 * depth * batch);
        Span<float> uniform = stackalloc float[2 * depth];
        for (var b = 0; b < batch; b++)
        {
            Ops.RandomUniform(uniform, first: 0, key.Samples.Span[b], RandomStream.Drop, key.Epoch, key.Seed);
            for (var i = 0; i < 2 * depth; i++)
            {
                var dropped = Rate(i / 2);
                factors[(i * batch) + b] = uniform[i] < dropped ? 0 : (float)(1 / (1 - dropped));
            }
        }
        return step.FromHost<float>(factors, 2 * depth, batch);
    }
}
