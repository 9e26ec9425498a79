using MimNative.Masking;
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
    private readonly Step _step;
    private readonly float[] _mean;
    private readonly float[] _std;

    /// <summary>For a model whose images have three channels.</summary>
    public Reconstructor(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        _model = model;
        _grid = model.Method.Grid;
        _mean = [.. model.Recipe.Image.Mean.Select(m => (float)m)];
        _std = [.. model.Recipe.Image.Std.Select(s => (float)s)];
        _step = new Step(model.Context);
        _step.Plan(step =>
        {
            var images = step.Empty(DType.F32, 1, _grid.Channels, _grid.Height, _grid.Width);
            var mask = RandomMasking.FromNoise(step.Empty(DType.F32, 1, _grid.Count), _grid.Count - 1, step);
            _model.Method.Reconstruct(images, mask, step);
            Patches(images, step);
        });
    }

    /// <summary>The sentence that belongs under the pictures.</summary>
    public string Caption(StatisticsSource statistics) =>
        !_model.Method.NormalizesTarget ? "predictions are pixels"
        : statistics == StatisticsSource.True ? "de-normalised with ground-truth patch statistics"
        : "de-normalised with visible-neighbour statistics";

    /// <summary>A random mask of the model's own kind: the patches that are removed, a function of (seed, sample).</summary>
    public bool[] RandomMask(long seed, long sample)
    {
        _step.Begin();
        var mask = _model.Method.SampleMask(_step.FromHost<long>([sample], 1), seed, epoch: 0, _step);
        return [.. _step.ToArray<float>(mask.Mask).Select(m => m > 0)];
    }

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
        var mask = HandMadeMask.FromPatches(removed, batch: 1, _step);
        var result = _model.Method.Reconstruct(images, mask, _step);
        var predicted = ToPixels(_step.ToArray<float>(result.Pred), images, removed, statistics);
        var loss = _step.ToArray<float>(result.Loss)[0];

        var original = image.Crop(image.Box);
        Image masked = image.Crop(image.Box), pasted = image.Crop(image.Box);
        for (var patch = 0; patch < removed.Length; patch++)
        {
            if (removed[patch])
            {
                ForEachRow(patch, row => masked.Pixels.Slice(row, _grid.Patch * 3).Fill(Grey));
                ForEachRow(patch, row => predicted.Pixels.Slice(row, _grid.Patch * 3).CopyTo(pasted.Pixels[row..]));
            }
        }
        return new ReconstructedPicture(original, masked, predicted, pasted, loss);
    }

    /// <inheritdoc/>
    public void Dispose() => _step.Dispose();

    // Predictions (L, P), pixels first, as a picture.
    private Image ToPixels(float[] pred, Tensor images, ReadOnlySpan<bool> removed, StatisticsSource source)
    {
        if (_model.Method.NormalizesTarget)
        {
            var statistics = PatchStatistics.Of(_step.ToArray<float>(Patches(images, _step)), _grid.PatchSize);
            pred = (source == StatisticsSource.True ? statistics : statistics.FromVisible(_grid, removed)).Denormalize(pred);
        }
        var picture = Image.Create(_grid.Height, _grid.Width);
        for (var patch = 0; patch < _grid.Count; patch++)
        {
            var from = patch * _grid.PatchSize;
            ForEachRow(patch, row =>
            {
                var pixels = picture.Pixels.Slice(row, _grid.Patch * 3);
                for (var i = 0; i < pixels.Length; i++, from++)
                {
                    var value = ((pred[from] * _std[i % 3]) + _mean[i % 3]) * 255;
                    pixels[i] = (byte)Math.Clamp(Math.Round(value), 0, 255);
                }
            });
        }
        return picture;
    }

    private Tensor Patches(Tensor images, Step step) =>
        Ops.Patchify(images, Tensor.None, _grid.Patch, PatchOrder.PixelsFirst, DType.F32, step);

    // Calls with the byte at which each pixel row of a patch begins.
    private void ForEachRow(int patch, Action<int> action)
    {
        int top = patch / _grid.Columns * _grid.Patch, left = patch % _grid.Columns * _grid.Patch;
        for (var y = 0; y < _grid.Patch; y++)
        {
            action((((top + y) * _grid.Width) + left) * 3);
        }
    }
}
