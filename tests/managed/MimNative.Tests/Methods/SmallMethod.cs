using MimNative.Methods;
using MimNative.Recipes;
using MimNative.Runtime;
using MimNative.Training;

namespace MimNative.Tests.Methods;

/// <summary>A method of a recipe that trains in milliseconds, with its parameters, a step and an optimiser.</summary>
internal sealed class SmallMethod : IDisposable
{
    private readonly Context _context;
    private readonly AdamW _optimizer;

    public SmallMethod(params string[] settings) : this(DType.F32, settings)
    {
    }

    public SmallMethod(DType compute, string[] settings, int threads = 1)
    {
        _context = new Context(Device.Cpu, threads);
        Recipe = Recipe.FromJson("{}", "test", settings);
        Method = Catalog.Create(Store.Root, Recipe);
        Store.Allocate(_context, compute);
        Step = new Step(_context) { Compute = compute };
        Step.Reserve(8 << 20);
        Store.Initialize(seed: 3, Step);
        _optimizer = new AdamW(Store, new AdamWSettings(), p => AdamW.Decays(p, Recipe.Train.NoDecay), _context);
    }

    public Recipe Recipe { get; }

    public IMethod Method { get; }

    public ParameterStore Store { get; } = new();

    public Step Step { get; }

    public float[] Gradients => Step.ToArray<float>(Store.Grads);

    /// <summary>Loss of a forward and backward pass over images of the samples first, first + 1, ...; gradients are added.</summary>
    public float TrainStep(int first, int batch, float gradScale = 1, long epoch = 0)
    {
        Step.Begin();
        return Step.ToArray<float>(Pass(Step, first, batch, gradScale, epoch))[0];
    }

    /// <summary>The pass itself, which may also be planned.</summary>
    public Tensor Pass(Step step, int first, int batch, float gradScale = 1, long epoch = 0)
    {
        var loss = step.Empty(DType.F32, 1);
        Method.TrainStep(loss, Images(step, first, batch), Key(first, batch, epoch), step, gradScale);
        return loss;
    }

    public static BatchKey Key(int first, int batch, long epoch = 0) =>
        new(Enumerable.Range(first, batch).Select(i => (long)i).ToArray(), Seed: 1, epoch);

    /// <summary>Images, each a function of its sample number alone.</summary>
    public Tensor Images(Step step, int first, int batch)
    {
        var image = Recipe.Image;
        float[] pixels = [.. Enumerable.Range(first, batch).SelectMany(i => Picture(i, image.Channels, image.Height, image.Width))];
        return step.FromHost<float>(pixels, batch, image.Channels, image.Height, image.Width);
    }

    public void Update(double rate) => _optimizer.Update(rate, Step);

    public float[] Train(int steps, double rate = 5e-3)
    {
        var losses = new float[steps];
        for (var i = 0; i < steps; i++)
        {
            losses[i] = TrainStep(0, 8);
            Update(rate);
        }
        return losses;
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        Step.Dispose();
        Store.Dispose();
        _context.Dispose();
    }

    /// <summary>Waves of a random direction and length: what is hidden can be told from what is left.</summary>
    public static float[] Picture(long sample, int channels, int height, int width)
    {
        var random = new Random((int)sample);
        double across = random.NextDouble(), down = random.NextDouble(), shift = 6 * random.NextDouble();
        var pixels = new float[channels * height * width];
        for (var i = 0; i < pixels.Length; i++)
        {
            int x = i % width, y = i / width % height, c = i / width / height;
            pixels[i] = (float)Math.Sin((across * x) + (down * y) + shift + c);
        }
        return pixels;
    }
}
