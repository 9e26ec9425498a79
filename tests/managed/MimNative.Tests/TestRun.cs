using MimNative.Runtime;

namespace MimNative.Tests;

/// <summary>The devices that tests run on.</summary>
internal static class Devices
{
    public static IEnumerable<Device> Present { get; } = [Device.Cpu];
}

/// <summary>
/// What a test of a layer needs: a device, a step with enough memory, a store for parameters, and random numbers that are the
/// same in every run.
/// </summary>
internal sealed class TestRun : IDisposable
{
    private readonly Random _random;

    private TestRun(Device device, int seed)
    {
        _random = new Random(seed);
        Context = new Context(device, threads: 1);
        Step = new Step(Context);
        Step.Reserve(8 << 20);
    }

    public Context Context { get; }

    public Step Step { get; }

    public ParameterStore Store { get; } = new();

    public static TestRun On(Device device, int seed = 0) => new(device, seed);

    /// <summary>Normal random numbers.</summary>
    public float[] Numbers(long count, double deviation = 1) => Numbers(_random, count, deviation);

    /// <summary>A tensor of the step with normal random numbers.</summary>
    public Tensor Random(params long[] shape) => Step.FromHost<float>(Numbers(Tensor.CountOf(shape)), shape);

    /// <summary>
    /// Makes the store's memory and moves every trained parameter away from its initial value: a bias of zero or a gamma of one
    /// would hide a term that a backward pass forgets.
    /// </summary>
    public void Allocate()
    {
        Store.Allocate(Context);
        Store.Initialize(seed: 1, Step);
        Move(Store, Step);
    }

    /// <summary>Adds random numbers to every trained parameter.</summary>
    public static void Move(ParameterStore store, Step step)
    {
        var random = new Random(5);
        foreach (var parameter in store.Parameters.Where(p => p.IsTrainable))
        {
            var values = step.ToArray<float>(parameter.Value);
            var moves = Numbers(random, parameter.Count, deviation: 0.2);
            step.Upload<float>([.. values.Zip(moves, (v, m) => v + m)], parameter.Value);
        }
    }

    /// <summary>The sum of two tensors, as a tensor of the step.</summary>
    public Tensor Sum(Tensor a, Tensor b) => Step.FromHost<float>(
        [.. Step.ToArray<float>(a).Zip(Step.ToArray<float>(b), (x, y) => x + y)], a.Shape);

    /// <summary>Tensors of equal extents one behind the other, along a new first axis.</summary>
    public Tensor Stack(params Tensor[] parts)
    {
        var whole = Step.Empty(parts[0].Type, [parts.Length, .. parts[0].Shape]);
        for (var i = 0; i < parts.Length; i++)
        {
            MimNative.Ops.Copy(whole.At(0, i), parts[i], Step);
        }
        return whole;
    }

    private static float[] Numbers(Random random, long count, double deviation)
    {
        var values = new float[count];
        for (var i = 0; i < count; i++)
        {
            values[i] = (float)(deviation * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()))
                * Math.Cos(2 * Math.PI * random.NextDouble()));
        }
        return values;
    }

    public void Dispose()
    {
        Step.Dispose();
        Store.Dispose();
        Context.Dispose();
    }
}
