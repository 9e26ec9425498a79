using MimNative.Interop;
using MimNative.Runtime;

namespace MimNative;

public static unsafe partial class Ops
{
    /// <summary>bias[h,i,j] = table[index[i,j], h]. table: (R, H) f32; index: (T, S) i32 in [0, R). Returns (H, T, S).</summary>
    public static Tensor RelativePositionBias(Tensor table, Tensor index, Step step)
    {
        var bias = step.Empty(DType.F32, table[1], index[0], index[1]);
        Mim.mim_relative_position_bias_forward(step.Native, View(&bias), View(&table), View(&index));
        return bias;
    }

    /// <summary>Adds the gradient of the table (R, H) to dtable. dbias: (H, T, S).</summary>
    public static void RelativePositionBiasBackward(Tensor dbias, Tensor index, Tensor dtable, Step step) =>
        Mim.mim_relative_position_bias_backward(step.Native, View(&dtable), View(&dbias), View(&index));
}
