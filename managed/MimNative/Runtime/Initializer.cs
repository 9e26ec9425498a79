using MimNative.Interop;

namespace MimNative.Runtime;

/// <summary>What a parameter is before training: a function of (seed, the parameter's name) alone.</summary>
public abstract record Initializer
{
    /// <summary>Every number the same.</summary>
    public sealed record Constant(float Value) : Initializer;

    /// <summary>Normal with mean 0.</summary>
    public sealed record Normal(double Deviation) : Initializer;

    /// <summary>Uniform in ±sqrt(6 / (inputs + outputs)) (Glorot and Bengio 2010).</summary>
    public sealed record XavierUniform(long Inputs, long Outputs) : Uniform(Math.Sqrt(6.0 / (Inputs + Outputs)));

    /// <summary>Uniform in ±bound.</summary>
    public record Uniform(double Bound) : Initializer;

    /// <summary>The given numbers: a fixed table.</summary>
    public sealed record Table(float[] Values) : Initializer;

    /// <summary>All zero.</summary>
    public static Initializer Zeros { get; } = new Constant(0);

    /// <summary>All one.</summary>
    public static Initializer Ones { get; } = new Constant(1);

    /// <summary>Writes the numbers of a parameter.</summary>
    internal void Fill(Span<float> values, string name, long seed)
    {
        switch (this)
        {
            case Constant constant:
                values.Fill(constant.Value);
                break;
            case Table table:
                table.Values.CopyTo(values);
                break;
            case Uniform uniform:
                Uniforms(values, 0, name, seed);
                foreach (ref var value in values)
                {
                    value = (float)((2.0 * value - 1.0) * uniform.Bound);
                }
                break;
            case Normal normal:
                // Box and Muller 1958: two uniform numbers make one normal number.
                var angles = new float[values.Length];
                Uniforms(values, 0, name, seed);
                Uniforms(angles, values.Length, name, seed);
                for (var i = 0; i < values.Length; i++)
                {
                    var radius = Math.Sqrt(-2.0 * Math.Log(1.0 - values[i]));
                    values[i] = (float)(normal.Deviation * radius * Math.Cos(2.0 * Math.PI * angles[i]));
                }
                break;
            default:
                throw new InvalidOperationException($"{GetType()} has no numbers");
        }
    }

    private static unsafe void Uniforms(Span<float> values, long first, string name, long seed)
    {
        var settings = new mim_random_params
        {
            size = sizeof(mim_random_params),
            stream = (int)RandomStream.Weights,
            seed = seed,
        };
        fixed (float* y = values)
        {
            Mim.mim_random_uniform_host(y, values.Length, first, NameHash(name), &settings);
        }
    }

    // FNV-1a, so that a parameter's numbers do not depend on which others there are. 63 bits: sample numbers are not negative.
    private static long NameHash(string name)
    {
        var hash = 0xcbf29ce484222325UL;
        foreach (var c in name)
        {
            hash = (hash ^ c) * 0x100000001b3UL;
        }
        return (long)(hash >> 1);
    }
}
