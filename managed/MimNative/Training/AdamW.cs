using MimNative.Runtime;

namespace MimNative.Training;

/// <summary>Settings of <see cref="AdamW"/>.</summary>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Eps">Added outside the root.</param>
/// <param name="WeightDecay">Of the parameters that decay.</param>
/// <param name="Clip">Largest gradient norm; 0 for no clipping.</param>
public sealed record AdamWSettings(
    double Beta1 = 0.9, double Beta2 = 0.95, double Eps = 1e-8, double WeightDecay = 0.05, double Clip = 0);

/// <summary>AdamW (Loshchilov and Hutter 2019) over a store's flat buffers: one fused pass a step.</summary>
public sealed class AdamW : IDisposable
{
    private readonly ParameterStore _store;
    private readonly AdamWSettings _settings;
    private readonly OptimizerSegment[] _segments;
    private readonly DeviceBuffer _scalars;
    private readonly Action _apply;
    private double _rate;
    private Step? _step;

    /// <summary>An optimiser of everything that the store trains.</summary>
    /// <param name="store">The allocated store.</param>
    /// <param name="settings">The settings.</param>
    /// <param name="decays">Which parameters decay.</param>
    /// <param name="context">The device.</param>
    public AdamW(ParameterStore store, AdamWSettings settings, Func<Parameter, bool> decays, Context context)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(settings);
        _store = store;
        _settings = settings;
        _segments =
        [
            .. store.Parameters.Where(p => p.IsTrainable).Select(p => new OptimizerSegment(
                p.Offset, p.Count, decays(p) ? (float)settings.WeightDecay : 0f, 1f)),
        ];
        _apply = Apply;
        _scalars = new DeviceBuffer(context, sizeof(float) * (Ops.AdamWScalars + 1));
    }

    /// <summary>Steps taken; part of a run's state.</summary>
    public long Steps { get; set; }

    /// <summary>(1) f32: the gradient norm of the latest step, before clipping. A step with a norm that is not finite changes
    /// no parameter and no moment.</summary>
    public Tensor GradientNorm => _scalars.View(DType.F32, sizeof(float) * Ops.AdamWScalars, 1);

    /// <summary>
    /// Upstream's rule: vectors (biases, LayerNorm, LayerScale) do not decay, nor do parameters that are named; everything else does, in
    /// MAE class and mask tokens too.
    /// </summary>
    /// <param name="parameter">The parameter.</param>
    /// <param name="exempt">Names, or last parts of names, that do not decay.</param>
    public static bool Decays(Parameter parameter, IReadOnlyList<string> exempt)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        var name = parameter.Name;
        return parameter.Shape.Count > 1 && !name.EndsWith(".bias", StringComparison.Ordinal)
            && !exempt.Any(e => name == e || name.EndsWith("." + e, StringComparison.Ordinal));
    }

    /// <summary>Updates all parameters from the accumulated gradients, which it sets to zero.</summary>
    public void Update(double learningRate, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        Steps++;
        (_rate, _step) = (learningRate, step);
        step.Context.Repeat(RepeatedWork.Update, _apply);
    }

    /// <inheritdoc/>
    public void Dispose() => _scalars.Dispose();

    private void Apply()
    {
        var step = _step!;
        var scalars = _scalars.View(DType.F32, 0, Ops.AdamWScalars);
        step.Upload<float>(
            [
                (float)_rate,
                // of the very floats that the kernel averages with, or the first steps would be off by their rounding
                (float)(1 - Math.Pow((float)_settings.Beta1, Steps)),
                (float)(1 - Math.Pow((float)_settings.Beta2, Steps)),
            ],
            scalars);
        Ops.GradientNorm(GradientNorm, _store.Grads, step);
        Ops.AdamWStep(
            _store.Values, _store.Moment1, _store.Moment2, _store.Rounded, _store.Grads, GradientNorm, scalars, _segments,
            (float)_settings.Beta1, (float)_settings.Beta2, (float)_settings.Eps, (float)_settings.Clip, step);
    }
}
