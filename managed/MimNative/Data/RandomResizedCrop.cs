using MimNative.Runtime;

namespace MimNative.Data;

/// <summary>
/// Cuts out a box of random area and aspect ratio and resizes it to the view: the augmentation of MAE (bicubic, area
/// 0.2 to 1) and SimMIM (bilinear, 0.67 to 1).
/// </summary>
public sealed class RandomResizedCrop : ITransform
{
    /// <summary>Uniform numbers that a box may use: ten tries of two, then a position of two.</summary>
    public const int BoxUniforms = 22;

    private const int Tries = 10;

    private readonly TrainingView _view;
    private readonly TransformSettings _settings;

    public RandomResizedCrop(TransformSettings settings)
    {
        _view = new TrainingView(settings);
        _settings = settings;
        if (!(settings.ScaleMin > 0 && settings.ScaleMin <= settings.ScaleMax && settings.ScaleMax <= 1))
        {
            throw new ArgumentException("The scale of a random resized crop must satisfy 0 < min <= max <= 1; came " +
                                        $"{settings.ScaleMin} and {settings.ScaleMax}.");
        }
        if (!(settings.RatioMin > 0 && settings.RatioMin <= settings.RatioMax && double.IsFinite(settings.RatioMax)))
        {
            throw new ArgumentException("The ratio of a random resized crop must satisfy 0 < min <= max; came " +
                                        $"{settings.RatioMin} and {settings.RatioMax}.");
        }
    }

    public int Height => _view.Height;

    public int Width => _view.Width;

    /// <summary>The box's numbers, and one for mirroring after them.</summary>
    public int UniformCount => BoxUniforms + 1;

    public void Apply(Image image, ReadOnlySpan<float> uniforms, Span<byte> pixels)
    {
        using var resized = image.ResizedCrop(BoxIn(image.Height, image.Width, uniforms), Height, Width, _view.Interpolation);
        TrainingView.Write(resized, _view.FlipsAt(uniforms[BoxUniforms]), pixels);
    }

    public ViewOrigin Origin(int height, int width, ReadOnlySpan<float> uniforms)
    {
        var box = Region.Of(BoxIn(height, width, uniforms));
        return new ViewOrigin(box, box, _view.FlipsAt(uniforms[BoxUniforms]));
    }

    /// <summary>
    /// The box for a picture of height x width, as torchvision draws it. Each of ten tries takes two numbers:
    /// area = height * width * uniform(scale), ratio = exp(uniform(log ratioMin, log ratioMax)),
    /// w = round(sqrt(area * ratio)), h = round(sqrt(area / ratio)). The first that fits takes two more, for its top
    /// and left. Where none fits it is the largest central box with a ratio in range.
    /// </summary>
    public static Box Box(int height, int width, double scaleMin, double scaleMax, double ratioMin, double ratioMax,
                          ReadOnlySpan<float> uniforms)
    {
        double logMin = MathF.Log((float)ratioMin), logMax = MathF.Log((float)ratioMax);  // float32 in torchvision too
        for (int i = 0; i < 2 * Tries; i += 2)
        {
            double area = (double)height * width * (scaleMin + uniforms[i] * (scaleMax - scaleMin));
            double ratio = Math.Exp(logMin + uniforms[i + 1] * (logMax - logMin));
            double w = Math.Round(Math.Sqrt(area * ratio)), h = Math.Round(Math.Sqrt(area / ratio));  // half to even
            if (w >= 1 && w <= width && h >= 1 && h <= height)
            {
                int top = (int)(uniforms[i + 2] * (height - h + 1));
                int left = (int)(uniforms[i + 3] * (width - w + 1));
                return new Box(top, left, (int)h, (int)w);
            }
        }
        return Central(height, width, ratioMin, ratioMax);
    }

    private Box BoxIn(int height, int width, ReadOnlySpan<float> uniforms) =>
        Box(height, width, _settings.ScaleMin, _settings.ScaleMax, _settings.RatioMin, _settings.RatioMax, uniforms);

    private static Box Central(int height, int width, double ratioMin, double ratioMax)
    {
        double h = height, w = width;
        if (w / h < ratioMin)
        {
            h = Math.Clamp(Math.Round(w / ratioMin), 1, height);
        }
        else if (w / h > ratioMax)
        {
            w = Math.Clamp(Math.Round(h * ratioMax), 1, width);
        }
        return new Box((int)(height - h) / 2, (int)(width - w) / 2, (int)h, (int)w);
    }
}
