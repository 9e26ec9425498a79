namespace MimNative.Runtime;

/// <summary>What a device can do at most; giga is 10⁹. See native/include/mim/ceiling.h.</summary>
/// <param name="F32Gflops">Fused multiply-add of f32 in registers.</param>
/// <param name="Bf16Gflops">bf16 dot products in registers; 0 where the processor has none.</param>
/// <param name="ReadGbytes">Reading memory.</param>
/// <param name="UpdateGbytes">x = s x in place, read and write counted.</param>
/// <param name="TriadGbytes">a = b + s c past the caches, all three streams counted.</param>
public readonly record struct Ceiling(double F32Gflops, double Bf16Gflops, double ReadGbytes, double UpdateGbytes, double TriadGbytes)
{
    /// <summary>The most that was moved, whichever way.</summary>
    public double MemoryGbytes => Math.Max(ReadGbytes, Math.Max(UpdateGbytes, TriadGbytes));
}
