using MimNative.Data;

namespace MimNative.Evaluation.Objects;

/// <summary>The objects of drawn pictures, as they were drawn: of each pixel the share that the object covers.</summary>
public sealed class DrawnObjects(ShapesSource source) : IPictureObjects
{
    /// <inheritdoc/>
    public IReadOnlyList<int> Pictures { get; } = [.. Enumerable.Range(0, source.Count)];

    /// <inheritdoc/>
    public IReadOnlyList<string> Notes => [];

    /// <inheritdoc/>
    public IReadOnlyList<PictureObject> Read(int picture, int height, int width)
    {
        using var drawn = source.Draw(picture);
        if (drawn.Mask.Height != height || drawn.Mask.Width != width)
        {
            throw new ArgumentException(
                $"drawn pictures are {drawn.Mask.Width} x {drawn.Mask.Height} (width x height); {width} x {height} came");
        }
        var pixels = drawn.Mask.Pixels;
        var shares = new float[height * width];
        for (var i = 0; i < shares.Length; i++)
        {
            shares[i] = pixels[3 * i] / 255f;
        }
        return [new MaskObject(drawn.Mask.Box, shares)];
    }
}
