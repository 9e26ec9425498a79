using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace MimNative.Interop;

/// <summary>
/// The functions of libmim under their C names, blittable arguments only. Where C returns a status, these throw
/// <see cref="MimException"/>. The rest of this class is generated from the headers.
/// </summary>
internal static unsafe partial class Mim
{
    /// <summary>The name that the imports give; MimNative's loader decides which file that is.</summary>
    public const string Library = "mim";

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Check(mim_status status)
    {
        if (status != mim_status.MIM_OK)
            Throw(status);
    }

    // The error text belongs to the thread, and this is still the thread that called.
    [DoesNotReturn]
    private static void Throw(mim_status status) =>
        throw new MimException((MimStatus)status, Marshal.PtrToStringUTF8((nint)Native.mim_last_error()) ?? "");
}
