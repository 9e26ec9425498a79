using MimNative.Interop;

namespace MimNative;

/// <summary>What random numbers are for: numbers of different streams have nothing to do with each other.</summary>
public enum RandomStream
{
    /// <summary>Initial weights.</summary>
    Weights = 0,

    /// <summary>The order of the samples in an epoch.</summary>
    Order = 1,

    /// <summary>Crops and flips.</summary>
    Crop = 2,

    /// <summary>Masks.</summary>
    Mask = 3,

    /// <summary>Stochastic depth and dropout.</summary>
    Drop = 4,

    /// <summary>Pictures drawn by the library.</summary>
    Picture = 5,
}

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
