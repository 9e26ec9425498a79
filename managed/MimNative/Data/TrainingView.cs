using MimNative.Runtime;

namespace MimNative.Data;

/// <summary>
/// What all transforms share: the size of a view, its interpolation, mirroring, checked once.
/// </summary>
internal sealed class TrainingView
{
    private readonly double _flip;

    public TrainingView(TransformSettings settings)
    {
        if (settings.Height < 1 || settings.Width < 1)
        {
            throw new ArgumentException($"A view must be at least 1 x 1 pixels; height {settings.Height} and width " +
                                        $"{settings.Width} came.");
        }
        if (settings.Flip is not (>= 0 and <= 1))
        {
            throw new ArgumentException($"The flip probability must be from 0 to 1; {settings.Flip} came.");
        }
        (Height, Width, _flip) = (settings.Height, settings.Width, settings.Flip);
        Interpolation = settings.Interpolation;
    }

    public int Height { get; }

    public int Width { get; }

    public Interpolation Interpolation { get; }

    /// <summary>True for the share of the numbers in [0, 1) that the settings want mirrored.</summary>
    public bool FlipsAt(float uniform) => uniform < _flip;

    /// <summary>Writes an image of the view's size, mirrored where it is to be.</summary>
    public static void Write(Image image, bool flip, Span<byte> pixels)
    {
        if (flip)
        {
            image.Flip();
        }
        image.Pixels.CopyTo(pixels);
    }
}
