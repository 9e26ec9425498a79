using MimNative.Recipes;
using MimNative.Runtime;

namespace MimNative.Training;

/// <summary>What a recipe's <c>train.precision</c> comes to on a device.</summary>
public static class Precisions
{
    /// <summary>F32 or Bf16: auto is bf16 where the device multiplies it in hardware.</summary>
    public static Precision Resolve(Precision asked, Context context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return asked != Precision.Auto ? asked : context.HasBf16 ? Precision.Bf16 : Precision.F32;
    }

    /// <summary>The element type of a step that computes so.</summary>
    public static DType Type(Precision resolved) => resolved switch
    {
        Precision.F32 => DType.F32,
        Precision.Bf16 => DType.BF16,
        _ => throw new ArgumentOutOfRangeException(nameof(resolved), resolved, "not resolved for a device"),
    };

    /// <summary>For people: what is computed with, and why where that is not what was asked for, or slow.</summary>
    /// <param name="asked">The recipe's.</param>
    /// <param name="used">The run's, resolved when it began.</param>
    /// <param name="context">The device.</param>
    public static string Describe(Precision asked, Precision used, Context context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return (used, asked, context.HasBf16) switch
        {
            (Precision.Bf16, _, true) => "bf16, with weights and optimiser in f32",
            (Precision.Bf16, _, false) => "bf16, which is slow here: this processor has no bf16 instructions, and f32 is faster",
            (_, Precision.Auto, false) => "f32: this processor has no bf16 instructions; training in f32",
            (_, Precision.Auto, true) => "f32, as the run began",
            _ => "f32",
        };
    }
}
