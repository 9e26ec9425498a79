using System.Runtime.CompilerServices;
using MimNative.Interop;
using MimNative.Runtime;

namespace MimNative;

/// <summary>
/// One method per native op: make the result in the step, call, return. What an op computes, on which shapes and dtypes, is said
/// in the native headers (native/include/mim), whose text the generated bindings carry.
/// </summary>
public static unsafe partial class Ops
{
    // A tensor as the ABI takes it; the absent tensor is a null pointer. The argument must be a local or a by-value parameter.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static mim_view* View(Tensor* tensor) => tensor->IsAbsent ? null : (mim_view*)tensor;
}
