using MimNative.Interop;
using MimNative.Runtime;

namespace MimNative;

public static unsafe partial class Ops
{
    /// <summary>dst = src, element by element; between f32 and bf16 it converts, and one side may be host memory.</summary>
    public static void Copy(Tensor dst, Tensor src, Step step) =>
        Mim.mim_copy(step.Native, View(&dst), View(&src));

    /// <summary>Every element of y becomes the value.</summary>
    public static void Fill(Tensor y, float value, Step step) => Mim.mim_fill(step.Native, View(&y), value);

    /// <summary>A tensor of the step filled with a value.</summary>
    public static Tensor Filled(float value, DType type, Step step, params ReadOnlySpan<long> shape)
    {
        var y = step.Empty(type, shape);
        Fill(y, value, step);
        return y;
    }

    /// <summary>A tensor of the step with the type and extents of another, filled with a value.</summary>
    public static Tensor FilledLike(Tensor x, float value, Step step)
    {
        var y = step.EmptyLike(x);
        Fill(y, value, step);
        return y;
    }
}
