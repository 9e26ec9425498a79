using MimNative.Interop;
using MimNative.Runtime;

namespace MimNative;

public static unsafe partial class Ops
{
    /// <summary>a + b, element by element, of equal extents and type.</summary>
    public static Tensor Add(Tensor a, Tensor b, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        var y = step.EmptyLike(a);
        Add(y, a, b, step);
        return y;
    }

    /// <summary>The same into a given y, which may be a or b.</summary>
    public static void Add(Tensor y, Tensor a, Tensor b, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        Mim.mim_add(step.Native, View(&y), View(&a), View(&b));
    }
}
