using MimNative.Recipes;
using MimNative.Runtime;

namespace MimNative.Data;

/// <summary>How a picture becomes a view.</summary>
public sealed record TransformSettings
{
    /// <summary>Which crop.</summary>
    public TransformKind Kind { get; init; } = TransformKind.RandomResizedCrop;

    /// <summary>Rows of a view.</summary>
    public int Height { get; init; } = 224;

    /// <summary>Columns of a view.</summary>
    public int Width { get; init; } = 224;

    /// <summary>How the crop is resampled.</summary>
    public Interpolation Interpolation { get; init; } = Interpolation.Bicubic;

    /// <summary>The probability that a view is mirrored left to right. A centre crop never is.</summary>
    public double Flip { get; init; } = 0.5;

    /// <summary>rrc: the smallest and largest share of the picture's area that is cut out.</summary>
    public double ScaleMin { get; init; } = 0.2;

    /// <inheritdoc cref="ScaleMin"/>
    public double ScaleMax { get; init; } = 1;

    /// <summary>rrc: the smallest and largest width / height of what is cut out.</summary>
    public double RatioMin { get; init; } = 3.0 / 4.0;

    /// <inheritdoc cref="RatioMin"/>
    public double RatioMax { get; init; } = 4.0 / 3.0;

    /// <summary>src: mirrored pixels added on each side before the crop.</summary>
    public int Padding { get; init; } = 4;

    /// <summary>
    /// cc: what is kept of the resized picture's shorter side; 1 resizes to the view itself, 0.875 is the usual 256
    /// to 224.
    /// </summary>
    public double CropShare { get; init; } = 1;

    /// <summary>The transform that these settings describe.</summary>
    public ITransform Create() => Kind switch
    {
        TransformKind.RandomResizedCrop => new RandomResizedCrop(this),
        TransformKind.SimpleResizedCrop => new SimpleResizedCrop(this),
        TransformKind.CenterCrop => new CenterCrop(this),
        _ => throw new ArgumentException($"There is no transform of kind {(int)Kind}."),
    };
}
