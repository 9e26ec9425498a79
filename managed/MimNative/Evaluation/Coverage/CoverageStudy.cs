using MimNative.Data;
using MimNative.Evaluation.Objects;
using MimNative.Nn;
using MimNative.Runtime;

namespace MimNative.Evaluation.Coverage;

/// <summary>
/// The mean coverage of many objects by several crops, before and after masking. Each picture is drawn as a run of the given seed draws
/// it in its first epochs: crop and mask are those of training, and the mask of a draw is the same for every crop.
/// </summary>
/// <param name="crops">The crops that are compared, all of the grid's size.</param>
/// <param name="grid">How a view is cut into patches.</param>
/// <param name="mask">The hidden patches of a sample.</param>
/// <param name="draws">Draws of each picture.</param>
/// <param name="seed">The seed.</param>
public sealed class CoverageStudy(
    IReadOnlyList<ITransform> crops, PatchGrid grid, Func<BatchKey, bool[]> mask, int draws, long seed)
{
    private readonly List<Picture> _pictures = [];
    private double _visible;

    /// <summary>Pictures with objects so far.</summary>
    public int Pictures => _pictures.Count;

    /// <summary>Objects so far.</summary>
    public int Objects => _pictures.Sum(p => p.Objects);

    /// <summary>The mean share of the patches that a mask leaves visible.</summary>
    public double Visible => _visible / (_pictures.Count * (double)draws * grid.Count);

    /// <summary>What one draw of a picture is, which a sheet shows too.</summary>
    /// <param name="crop">The crop.</param>
    /// <param name="sample">The picture's number in the data.</param>
    /// <param name="draw">The draw, an epoch of training.</param>
    public float[] Uniforms(ITransform crop, long sample, int draw)
    {
        ArgumentNullException.ThrowIfNull(crop);
        var uniforms = new float[crop.UniformCount];
        Ops.RandomUniform(uniforms, first: 0, sample, RandomStream.Crop, draw, seed);
        return uniforms;
    }

    /// <summary>The hidden patches of a draw.</summary>
    public bool[] Hidden(long sample, int draw) => mask(new BatchKey(new[] { sample }, seed, draw));

    /// <summary>Draws the views of a picture of height x width and measures its objects in them.</summary>
    /// <param name="sample">Its number in the data.</param>
    /// <param name="height">Its height.</param>
    /// <param name="width">Its width.</param>
    /// <param name="objects">At least one.</param>
    public void Add(long sample, int height, int width, IReadOnlyList<PictureObject> objects)
    {
        ArgumentNullException.ThrowIfNull(objects);
        ArgumentOutOfRangeException.ThrowIfZero(objects.Count);
        var (before, after) = (new double[crops.Count], new double[crops.Count]);
        for (var draw = 0; draw < draws; draw++)
        {
            var hidden = Hidden(sample, draw);
            _visible += hidden.Count(h => !h);
            for (var i = 0; i < crops.Count; i++)
            {
                var view = crops[i].Origin(height, width, Uniforms(crops[i], sample, draw));
                before[i] += objects.Sum(o => ObjectCoverage.Share(o, view)) / draws;
                after[i] += objects.Sum(o => ObjectCoverage.Share(o, view, grid, hidden)) / draws;
            }
        }
        _pictures.Add(new Picture(objects.Count, before, after));
    }

    /// <summary>The means for a crop; every object counts once.</summary>
    /// <exception cref="InvalidOperationException">There is no object.</exception>
    public CoverageResult Result(int crop)
    {
        if (_pictures.Count == 0)
        {
            throw new InvalidOperationException("there is no object to measure");
        }
        double before = _pictures.Sum(p => p.Before[crop]) / Objects, after = _pictures.Sum(p => p.After[crop]) / Objects;
        var ratio = after / before;
        return new CoverageResult(
            before, Error(p => p.Before[crop] - (p.Objects * before)), after, Error(p => p.After[crop] - (p.Objects * after)),
            ratio, Error(p => p.After[crop] - (ratio * p.Before[crop])) / before);
    }

    // The standard error of a mean over objects, of which those of one picture go together: pictures are what was sampled.
    private double Error(Func<Picture, double> residual)
    {
        var n = (double)_pictures.Count;
        return n < 2 ? double.NaN : Math.Sqrt(n / (n - 1) * _pictures.Sum(p => residual(p) * residual(p))) / Objects;
    }

    // Sums over the objects of a picture of their means over its draws, one for each crop.
    private sealed record Picture(int Objects, double[] Before, double[] After);
}

/// <summary>What is left of objects on average; each mean with its standard error over pictures, NaN for a single one.</summary>
/// <param name="Before">The share of an object's area in the crop.</param>
/// <param name="BeforeError">Its standard error.</param>
/// <param name="After">The share in the patches that are not hidden.</param>
/// <param name="AfterError">Its standard error.</param>
/// <param name="Ratio">After divided by before; NaN where nothing is left before.</param>
/// <param name="RatioError">Its standard error.</param>
public readonly record struct CoverageResult(
    double Before, double BeforeError, double After, double AfterError, double Ratio, double RatioError);
