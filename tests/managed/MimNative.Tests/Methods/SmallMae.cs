using MimNative.Encoders;
using MimNative.Masking;
using MimNative.Methods;
using MimNative.Nn;
using MimNative.Runtime;
using MimNative.Targets;
using MimNative.Training;

namespace MimNative.Tests.Methods;

/// <summary>A MAE that trains in milliseconds, with its parameters, a step and an optimiser.</summary>
internal sealed class SmallMae : IDisposable
{
    private readonly Context _context;
    private readonly ParameterStore _store = new();
    private readonly AdamW _optimizer;

    public SmallMae(PatchGrid? grid = null, Target? target = null, LossKind loss = LossKind.L2, int threads = 1)
    {
        _context = new Context(Device.Cpu, threads);
        Grid = grid ?? new PatchGrid(16, 16, 3, 4);
        Mae = new Mae(
            _store.Root,
            new MaeSettings(
                new MaeDecoderSettings(Dim: 12, Depth: 1, Heads: 3, MlpRatio: 2), MaskRatio: 0.7, target ?? new NormalizedPixels(),
                loss, LossBeta: 0.5f),
            encoder => new VitEncoder(encoder, new VitSettings(Grid, Dim: 16, Depth: 2, Heads: 2, MlpRatio: 2)));
        _store.Allocate(_context);
        Step = new Step(_context);
        Step.Reserve(4 << 20);
        _store.Initialize(seed: 3, Step);
        _optimizer = new AdamW(_store, new AdamWSettings(), p => AdamW.Decays(p, []), _context);
    }

    public Mae Mae { get; }

    public PatchGrid Grid { get; }

    public Step Step { get; }

    public ParameterStore Store => _store;

    /// <summary>Loss of a forward and backward pass over images of the samples first, first + 1, ...; gradients are added.</summary>
    public float TrainStep(int first, int batch, float gradScale = 1)
    {
        Step.Begin();
        return Step.ToArray<float>(Pass(Step, first, batch, gradScale))[0];
    }

    /// <summary>The pass itself, which may also be planned.</summary>
    public Tensor Pass(Step step, int first, int batch, float gradScale = 1)
    {
        var loss = step.Empty(DType.F32, 1);
        var (images, mask) = Inputs(step, first, batch);
        Mae.TrainStep(loss, images, mask, step, gradScale);
        return loss;
    }

    /// <summary>Images, each a function of its sample number alone, and their masks.</summary>
    public (Tensor Images, TokenMask Mask) Inputs(Step step, int first, int batch)
    {
        long[] samples = [.. Enumerable.Range(first, batch).Select(i => (long)i)];
        float[] pixels = [.. samples.SelectMany(s => SmallMethod.Picture(s, Grid.Channels, Grid.Height, Grid.Width))];
        return (
            step.FromHost<float>(pixels, batch, Grid.Channels, Grid.Height, Grid.Width),
            new RandomMasking(0.7, Grid.Count).Sample(new BatchKey(samples, Seed: 1, Epoch: 0), step));
    }

    public void Update(double rate) => _optimizer.Update(rate, Step);

    public void Dispose()
    {
        _optimizer.Dispose();
        Step.Dispose();
        _store.Dispose();
        _context.Dispose();
    }
}
