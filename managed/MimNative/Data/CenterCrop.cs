using MimNative.Runtime;

namespace MimNative.Data;

/// <summary>
/// The evaluation view: the picture resized to cover the view (or a little more), and its centre cut out.
/// </summary>
public sealed class CenterCrop : ITransform
{
    private readonly TrainingView _view;
    private readonly int _coverHeight;
    private readonly int _coverWidth;

    public CenterCrop(TransformSettings settings)
    {
        _view = new TrainingView(settings);
        if (!(settings.CropShare > 0 && settings.CropShare <= 1))
        {
            throw new ArgumentException(
                $"The crop share of a centre crop must be above 0 and at most 1; {settings.CropShare} " +
                "came.");
        }
        _coverHeight = checked((int)Math.Round(Height / settings.CropShare));
        _coverWidth = checked((int)Math.Round(Width / settings.CropShare));
    }

    public int Height => _view.Height;

    public int Width => _view.Width;

    /// <summary>Nothing is random.</summary>
    public int UniformCount => 0;

    public void Apply(Image image, ReadOnlySpan<float> uniforms, Span<byte> pixels)
    {
        var (window, height, width) = Resized(image.Height, image.Width);
        using var resized = image.ResizedCrop(window, height, width, _view.Interpolation);
        using var cropped = resized.Crop(Box(height, width, Height, Width));
        TrainingView.Write(cropped, flip: false, pixels);
    }

    public ViewOrigin Origin(int height, int width, ReadOnlySpan<float> uniforms)
    {
        var (window, resizedHeight, resizedWidth) = Resized(height, width);
        var box = Box(resizedHeight, resizedWidth, Height, Width);
        return ViewOrigin.OfResized(window, resizedHeight, resizedWidth, box, mirrored: false);
    }

    /// <summary>
    /// The central box: offset round((side - view) / 2), half to even. Where the picture is smaller than the view the
    /// box reaches outside, floor((view - side) / 2) on the left and at the top.
    /// </summary>
    public static Box Box(int height, int width, int viewHeight, int viewWidth) =>
        new(Offset(height, viewHeight), Offset(width, viewWidth), viewHeight, viewWidth);

    private static int Offset(int side, int view) =>
        side >= view ? (int)Math.Round((side - view) / 2.0) : -((view - side) / 2);

    private (Box Window, int Height, int Width) Resized(int height, int width)
    {
        var window = ShortSide.Window(height, width, _coverHeight, _coverWidth, position: 0.5f);
        var (resizedHeight, resizedWidth) = ShortSide.Size(window.Height, window.Width, _coverHeight, _coverWidth);
        return (window, resizedHeight, resizedWidth);
    }
}
