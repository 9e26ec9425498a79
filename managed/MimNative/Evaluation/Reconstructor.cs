using MimNative.Methods;
using MimNative.Nn;
using MimNative.Runtime;
using MimNative.Training;

namespace MimNative.Evaluation;

/// <summary>Which statistics turn predictions of normalised patches back into pixels.</summary>
public enum StatisticsSource
{
    /// <summary>The removed patches' own: the picture then shows something that the model was not given.</summary>
    True,

    /// <summary>The nearest visible patches': nothing is shown that was not seen or predicted.</summary>
    Visible,
}

/// <summary>A picture as a model sees, predicts and completes it; all of the model's input size.</summary>
/// <param name="Original">The picture.</param>
/// <param name="Masked">What the encoder sees; removed patches are grey.</param>
/// <param name="Predicted">Every patch as the model predicts it.</param>
/// <param name="Pasted">Visible patches as they are, removed ones as predicted.</param>
/// <param name="Loss">The loss over the removed patches.</param>
public sealed record ReconstructedPicture(Image Original, Image Masked, Image Predicted, Image Pasted, float Loss) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        Original.Dispose();
        Masked.Dispose();
        Predicted.Dispose();
        Pasted.Dispose();
    }
}

/// <summary>Shows what a model makes of pictures.</summary>
public sealed class Reconstructor : IDisposable
{
    private const byte Grey = 127;

    private readonly Model _model;
    private readonly PatchGrid _grid;
    private readonly PredictionLayout _layout;
    private readonly Step _step;
    private readonly float[] _mean;
    private readonly float[] _std;

    /// <summary>For a model whose images have three channels.</summary>
    public Reconstructor(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        _model = model;
        _grid = model.Method.Grid;
        _layout = model.Method.Prediction;
        _mean = [.. model.Recipe.Image.Mean.Select(m => (float)m)];
        _std = [.. model.Recipe.Image.Std.Select(s => (float)s)];
        _step = new Step(model.Context);
        _step.Plan(step =>
        {
            foreach (var count in new[] { 1, _grid.Count - 1 })  // of all masks, those that leave most to encode and most to name
            {
                step.Begin();
                var images = step.Empty(DType.F32, 1, _grid.Channels, _grid.Height, _grid.Width);
                var hidden = new bool[_grid.Count];
                hidden.AsSpan(0, count).Fill(true);
                Patches(_model.Method.Reconstruct(images, hidden, step).Target, step);
            }
        });
    }

    /// <summary>The sentence that belongs under the pictures.</summary>
    public string Caption(StatisticsSource statistics) =>
        !_layout.Normalized ? "predictions are pixels"
        : statistics == StatisticsSource.True ? "de-normalised with ground-truth patch statistics"
        : "de-normalised with visible-neighbour statistics";

    /// <summary>A random mask of the model's own kind: the patches that are removed, a function of (seed, sample).</summary>
    public bool[] RandomMask(long seed, long sample) => _model.Method.SampleHidden(new BatchKey(new[] { sample }, seed, Epoch: 0));

    /// <summary>Completes a picture of the model's input size, of which the given patches are removed.</summary>
    public ReconstructedPicture Reconstruct(Image image, ReadOnlySpan<bool> removed, StatisticsSource statistics)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (image.Height != _grid.Height || image.Width != _grid.Width)
        {
            throw new ArgumentException(
                $"the picture is {image.Height} x {image.Width}, the model expects {_grid.Height} x {_grid.Width}");
        }
        _step.Begin();
        var values = new float[3 * image.Height * image.Width];
        image.Normalize(values, _mean, _std);
        var images = _step.FromHost<float>(values, 1, 3, image.Height, image.Width);
        var result = _model.Method.Reconstruct(images, removed, _step);
        var predicted = ToPixels(result, images, removed, statistics);
        var loss = _step.ToArray<float>(result.Loss)[0];

        var original = image.Crop(image.Box);
        Image masked = image.Crop(image.Box), pasted = image.Crop(image.Box);
        for (var patch = 0; patch < removed.Length; patch++)
        {
            if (removed[patch])
            {
                ForEachRow(_grid, patch, row => masked.Pixels.Slice(row, _grid.Patch * 3).Fill(Grey));
                ForEachRow(_grid, patch, row => predicted.Pixels.Slice(row, _grid.Patch * 3).CopyTo(pasted.Pixels[row..]));
            }
        }
        return new ReconstructedPicture(original, masked, predicted, pasted, loss);
    }

    /// <inheritdoc/>
    public void Dispose() => _step.Dispose();

    // Predictions (M, P) as a picture of the input's size.
    private Image ToPixels(in Reconstruction result, Tensor images, ReadOnlySpan<bool> removed, StatisticsSource source)
    {
        var pred = _step.ToArray<float>(result.Pred);
        if (_layout.Normalized)
        {
            // A filtered target knows something of its neighbours, so what is seen is taken from the picture itself.
            var of = source == StatisticsSource.True || _layout.Reduction > 1 ? result.Target : images;
            var statistics = PatchStatistics.Of(_step.ToArray<float>(Patches(of, _step)), _layout.PatchSize);
            pred = (source == StatisticsSource.True ? statistics : statistics.FromVisible(_layout.Grid, RemovedPredictions(removed)))
                .Denormalize(pred);
        }
        var picture = Image.Create(_grid.Height, _grid.Width);
        for (var patch = 0; patch < _layout.Grid.Count; patch++)
        {
            var y = 0;
            ForEachRow(_layout.Grid, patch, row =>
            {
                var pixels = picture.Pixels.Slice(row, _layout.Grid.Patch * 3);
                for (var i = 0; i < pixels.Length; i++)
                {
                    var value = (pred[(patch * _layout.PatchSize) + Place(y, i / 3, i % 3)] * _std[i % 3]) + _mean[i % 3];
                    pixels[i] = (byte)Math.Clamp(Math.Round(value * 255), 0, 255);
                }
                y++;
            });
        }
        return picture;
    }

    // Where a predicted patch has the number of a pixel of the picture.
    private int Place(int y, int x, int channel)
    {
        int side = _layout.Patch, row = y / _layout.Reduction, column = x / _layout.Reduction;
        return _layout.Order == PatchOrder.PixelsFirst
            ? (((row * side) + column) * 3) + channel
            : (((channel * side) + row) * side) + column;
    }

    // Predicted patches may be larger than those that are removed: one counts as removed if any part of it is.
    private bool[] RemovedPredictions(ReadOnlySpan<bool> removed)
    {
        var grid = _layout.Grid;
        var result = new bool[grid.Count];
        for (var i = 0; i < result.Length; i++)
        {
            int top = i / grid.Columns * grid.Patch / _grid.Patch, left = i % grid.Columns * grid.Patch / _grid.Patch;
            var side = Math.Max(1, grid.Patch / _grid.Patch);
            for (var part = 0; part < side * side; part++)
            {
                result[i] |= removed[((top + (part / side)) * _grid.Columns) + left + (part % side)];
            }
        }
        return result;
    }

    private Tensor Patches(Tensor images, Step step) =>
        Ops.Patchify(images, Tensor.None, _layout.Patch, _layout.Order, DType.F32, step);

    // Calls with the byte at which each pixel row of a patch begins.
    private static void ForEachRow(PatchGrid grid, int patch, Action<int> action)
    {
        int top = patch / grid.Columns * grid.Patch, left = patch % grid.Columns * grid.Patch;
        for (var y = 0; y < grid.Patch; y++)
        {
            action((((top + y) * grid.Width) + left) * 3);
        }
    }
}
