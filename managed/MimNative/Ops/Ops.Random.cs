using MimNative.Interop;
using MimNative.Runtime;

namespace MimNative;

public static unsafe partial class Ops
{
    /// <summary>
    /// Uniform numbers in [0, 1) of 24 bits: value number first, first + 1, ... of a sample. They depend on the
    /// arguments alone; the counter-based generator keeps no state. Safe from any thread.
    /// </summary>
    public static void RandomUniform(Span<float> values, long first, long sample, RandomStream stream, long epoch,
                                     long seed)
    {
        var settings = new mim_random_params
        {
            size = sizeof(mim_random_params),
            stream = (int)stream,
            epoch = epoch,
            seed = seed,
        };
        fixed (float* y = values)
        {
            Mim.mim_random_uniform_host(y, values.Length, first, sample, &settings);
        }
    }
}
