using MimNative.Runtime;

namespace MimNative.Data;

/// <summary>
/// PixMIM's augmentation: the whole picture is resized to cover the view (bilinear in the paper), bordered by 4
/// mirrored pixels, and a view cut from a random place. It keeps far more of the object than <see
/// cref="RandomResizedCrop"/>.
/// </summary>
public sealed class SimpleResizedCrop : ITransform
{
    private readonly TrainingView _view;
    private readonly int _padding;

    public SimpleResizedCrop(TransformSettings settings)
    {
        _view = new TrainingView(settings);
        _padding = settings.Padding;
        if (_padding < 0 || Math.Min(Height, Width) <= _padding)
        {
            throw new ArgumentException(
                $"The padding of a simple resized crop must be 0 or more and below both sides of the " +
                $"view ({Height} x {Width}), because it mirrors them; {_padding} came.");
        }
    }

    public int Height => _view.Height;

    public int Width => _view.Width;

    /// <summary>Top, left, mirroring.</summary>
    public int UniformCount => 3;

    public void Apply(Image image, ReadOnlySpan<float> uniforms, Span<byte> pixels)
    {
        var (window, height, width) = Resized(image.Height, image.Width, uniforms);
        using var resized = image.ResizedCrop(window, height, width, _view.Interpolation);
        using var padded = resized.PadReflect(_padding);
        using var cropped = padded.Crop(Box(height, width, Height, Width, _padding, uniforms));
        TrainingView.Write(cropped, _view.FlipsAt(uniforms[2]), pixels);
    }

    public ViewOrigin Origin(int height, int width, ReadOnlySpan<float> uniforms)
    {
        var (window, resizedHeight, resizedWidth) = Resized(height, width, uniforms);
        var box = Box(resizedHeight, resizedWidth, Height, Width, _padding, uniforms);
        var unpadded = box with { Top = box.Top - _padding, Left = box.Left - _padding };
        return ViewOrigin.OfResized(window, resizedHeight, resizedWidth, unpadded, _view.FlipsAt(uniforms[2]));
    }

    /// <summary>
    /// The box in the padded picture, of which height x width is the size before padding:
    /// top = floor(u0 * (height + 2 * padding - viewHeight + 1)), left likewise from u1.
    /// </summary>
    public static Box Box(int height, int width, int viewHeight, int viewWidth, int padding,
                          ReadOnlySpan<float> uniforms)
    {
        int tops = height + 2 * padding - viewHeight + 1, lefts = width + 2 * padding - viewWidth + 1;
        return new Box((int)((double)uniforms[0] * tops), (int)((double)uniforms[1] * lefts), viewHeight, viewWidth);
    }

    private (Box Window, int Height, int Width) Resized(int height, int width, ReadOnlySpan<float> uniforms)
    {
        float along = height > width ? uniforms[0] : uniforms[1];
        var window = ShortSide.Window(height, width, Height, Width, along);
        var (resizedHeight, resizedWidth) = ShortSide.Size(window.Height, window.Width, Height, Width);
        return (window, resizedHeight, resizedWidth);
    }
}
