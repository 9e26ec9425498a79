using MimNative.Nn;
using MimNative.Runtime;
using MimNative.Training;

namespace MimNative.Evaluation;

/// <summary>
/// Looks at the attention of a model's layers. They are called <c>encoder.0</c>, <c>encoder.1</c>, ..., <c>decoder.0</c>, ... in the order
/// in which they are computed; what is thrown away after pretraining belongs to the decoder.
/// </summary>
public sealed class AttentionProbe : IDisposable
{
    private static readonly string[] Parts = ["encoder", "decoder"];

    private readonly Model _model;
    private readonly Step _step;
    private readonly Recorder _recorder;
    private readonly float[] _mean, _std;

    /// <summary>For a model whose images have three channels.</summary>
    public AttentionProbe(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        _model = model;
        _mean = [.. model.Recipe.Image.Mean.Select(m => (float)m)];
        _std = [.. model.Recipe.Image.Std.Select(s => (float)s)];
        _recorder = new Recorder(model.Method.EncoderName);
        _step = new Step(model.Context) { Observer = _recorder };
        _step.Plan(step =>
        {
            // of all masks those that leave most to encode and most to name
            foreach (var visible in new[] { 1, Grid.Count - 1 })
            {
                step.Begin();
                var hidden = new bool[Grid.Count];
                hidden.AsSpan(visible).Fill(true);
                Pass(() => model.Method.Reconstruct(Images(step), hidden, step));
            }
            Layers = [.. _recorder.Names];
            step.Begin();
            try
            {
                Pass(() => model.Method.Encode(Images(step), step, out _));
            }
            catch (NotSupportedException)
            {
                // an encoder that sees windows alone: its layers can be looked at while it sees them, and Whole says why not otherwise
            }
        });
    }

    /// <summary>The names of all layers.</summary>
    public IReadOnlyList<string> Layers { get; private set; } = [];

    /// <summary>How images are cut into the patches that a query is named by.</summary>
    public PatchGrid Grid => _model.Method.Grid;

    /// <summary>A random mask of the model's own kind: the patches that are hidden, a function of (seed, sample).</summary>
    public bool[] RandomMask(long seed, long sample) => _model.Method.SampleHidden(new BatchKey(new[] { sample }, seed, Epoch: 0));

    /// <summary>Whether a layer is of the network that is thrown away.</summary>
    public static bool IsDecoder(string layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        return layer.StartsWith("decoder.", StringComparison.Ordinal);
    }

    /// <summary>The layers that a text asks for: <c>all</c>, <c>encoder.3</c>, or several, separated by commas.</summary>
    /// <exception cref="ArgumentException">There is no such layer.</exception>
    public IReadOnlyList<string> Choose(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text == "all")
        {
            return Layers;
        }
        string[] chosen = [.. text.Split(',', StringSplitOptions.TrimEntries).Distinct()];
        return chosen.FirstOrDefault(name => !Layers.Contains(name)) is { } unknown
            ? throw new ArgumentException(
                $"there is no layer '{unknown}', expected all, {string.Join(" or ", Parts.Select(Range).OfType<string>())}")
            : chosen;
    }

    /// <summary>The encoder's layers over a whole picture of the model's size, of which nothing is hidden.</summary>
    public IReadOnlyList<AttentionLayer> Whole(Image picture, IReadOnlyCollection<string> layers) =>
        Look(picture, layers, images => _model.Method.Encode(images, _step, out _));

    /// <summary>The layers of encoder and decoder while a picture is completed of which the given patches are hidden.</summary>
    public IReadOnlyList<AttentionLayer> Masked(Image picture, bool[] hidden, IReadOnlyCollection<string> layers) =>
        Look(picture, layers, images => _model.Method.Reconstruct(images, hidden, _step));

    /// <inheritdoc/>
    public void Dispose() => _step.Dispose();

    private IReadOnlyList<AttentionLayer> Look(Image picture, IReadOnlyCollection<string> layers, Action<Tensor> pass)
    {
        ArgumentNullException.ThrowIfNull(picture);
        var image = _model.Recipe.Image;
        var values = new float[3 * image.Height * image.Width];
        picture.Normalize(values, _mean, _std);
        _step.Begin();
        var images = _step.FromHost<float>(values, 1, 3, image.Height, image.Width);
        _recorder.Wanted = layers;
        Pass(() => pass(images));
        return [.. _recorder.Layers];
    }

    private Tensor Images(Step step) => step.Empty(DType.F32, 1, Grid.Channels, Grid.Height, Grid.Width);

    private void Pass(Action pass)
    {
        _recorder.Names.Clear();
        _recorder.Layers.Clear();
        pass();
    }

    private string? Range(string part)
    {
        var count = Layers.Count(l => l.StartsWith(part + ".", StringComparison.Ordinal));
        return count == 0 ? null : count == 1 ? $"{part}.0" : $"{part}.0 to {part}.{count - 1}";
    }

    // Names what it is shown and keeps what is wanted. What it copies while a step is planned means nothing, but its memory counts.
    private sealed class Recorder(Func<string, string?> encoderName) : IAttentionObserver
    {
        public List<string> Names { get; } = [];

        public List<AttentionLayer> Layers { get; } = [];

        public IReadOnlyCollection<string> Wanted { get; set; } = [];

        public void Attended(in AttentionCall call, Step step)
        {
            var part = encoderName($"{call.Name}.proj.weight") is null ? "decoder" : "encoder";
            var name = $"{part}.{Names.Count(n => n.StartsWith(part, StringComparison.Ordinal))}";
            Names.Add(name);
            if (step.IsPlanning)
            {
                step.ToArray<float>(call.Q);
            }
            else if (Wanted.Contains(name))
            {
                Layers.Add(new AttentionLayer(name, call, step));
            }
        }
    }
}
