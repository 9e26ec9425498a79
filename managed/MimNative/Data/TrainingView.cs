using MimNative.Runtime;

namespace MimNative.Data;

/// <summary>
/// What all transforms share: the size of a view, its interpolation, mirroring and normalisation, checked once.
/// </summary>
internal sealed class TrainingView
{
    private readonly float[] _mean;
    private readonly float[] _std;
    private readonly double _flip;

    public TrainingView(TransformSettings settings)
    {
        if (settings.Height < 1 || settings.Width < 1)
        {
            throw new ArgumentException($"A view must be at least 1 x 1 pixels; height {settings.Height} and width " +
                                        $"{settings.Width} came.");
        }
        if (settings.Mean.Count != 3 || settings.Std.Count != 3 || settings.Std.Any(value => !(value > 0)))
        {
            throw new ArgumentException("mean and std must have 3 values each, those of std above 0; came " +
                                        $"[{string.Join(", ", settings.Mean)}] and [{string.Join(", ", settings.Std)}].");
        }
        if (settings.Flip is not (>= 0 and <= 1))
        {
            throw new ArgumentException($"The flip probability must be from 0 to 1; {settings.Flip} came.");
        }
        (Height, Width, _flip) = (settings.Height, settings.Width, settings.Flip);
        Interpolation = settings.Interpolation;
        _mean = [.. settings.Mean];
        _std = [.. settings.Std];
    }

    public int Height { get; }

    public int Width { get; }

    public Interpolation Interpolation { get; }

    /// <summary>True for the share of the numbers in [0, 1) that the settings want mirrored.</summary>
    public bool FlipsAt(float uniform) => uniform < _flip;

    /// <summary>The box, resized to the view, mirrored and normalised.</summary>
    public void Sample(Image image, Box box, bool flip, Span<float> values) =>
        image.Sample(values, box, Height, Width, Interpolation, flip, _mean, _std);

    /// <summary>The box, resized to the view and mirrored.</summary>
    public void Sample(Image image, Box box, bool flip, Span<byte> pixels)
    {
        using var resized = image.ResizedCrop(box, Height, Width, Interpolation);
        Copy(resized, flip, pixels);
    }

    /// <summary>An image of the view's size, mirrored.</summary>
    public static void Copy(Image image, bool flip, Span<byte> pixels)
    {
        if (flip)
        {
            image.Flip();
        }
        image.Pixels.CopyTo(pixels);
    }

    /// <summary>An image of the view's size, mirrored and normalised.</summary>
    public void Normalize(Image image, bool flip, Span<float> values)
    {
        if (flip)
        {
            image.Flip();
        }
        image.Normalize(values, _mean, _std);
    }
}
