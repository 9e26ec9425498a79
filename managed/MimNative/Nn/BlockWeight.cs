using MimNative.Runtime;

namespace MimNative.Nn;

/// <summary>
/// The weight of a convolution whose kernel is its stride, stored (A, B, k, k) as upstream stores it, as the matrix that multiplies
/// blocks of tokens. Its axes are brought into another order for a step; so is its gradient, and back.
/// </summary>
/// <param name="weight">The parameter.</param>
/// <param name="order">Which of the axes A, B, k² comes first, second and third.</param>
internal sealed class BlockWeight(Parameter weight, int[] order)
{
    /// <summary>The reordered weight, dense, as (rows, -1).</summary>
    public Tensor Forward(long rows, Step step)
    {
        var stored = Ordered(weight.Weight(step));
        var matrix = step.Empty(stored.Type, stored[0], stored[1], stored[2]);
        Ops.Copy(matrix, stored, step);
        return matrix.Reshape(rows, -1);
    }

    /// <summary>The gradient so far in that order, temporary: what adds to it is followed by <see cref="Keep"/>.</summary>
    public Tensor Gradient(long rows, Step step)
    {
        var stored = Ordered(weight.Grad);
        var matrix = step.Temporary(stored.Type, stored[0], stored[1], stored[2]);
        Ops.Copy(matrix, stored, step);
        return matrix.Reshape(rows, -1);
    }

    /// <summary>Makes a matrix that <see cref="Gradient"/> gave the parameter's gradient.</summary>
    public void Keep(Tensor gradient, Step step)
    {
        var stored = Ordered(weight.Grad);
        Ops.Copy(stored, gradient.Reshape(stored[0], stored[1], stored[2]), step);
    }

    private Tensor Ordered(Tensor stored) => stored.Reshape(stored[0], stored[1], -1).Permute(order);
}
