using MimNative.Runtime;

namespace MimNative.Data;

/// <summary>
/// A drawn picture: one textured object on a textured ground, and where the object is. The same seed, index and size
/// give the same picture. It stands in for photographs in demonstrations and tests.
/// </summary>
public sealed class ShapesPicture : IDisposable
{
    private ShapesPicture(Image image, Image mask, ShapeClass shape) => (Image, Mask, Class) = (image, mask, shape);

    /// <summary>The picture.</summary>
    public Image Image { get; }

    /// <summary>How much of each pixel the object covers: grey, 0 outside, 255 inside.</summary>
    public Image Mask { get; }

    /// <summary>What the object is. Every ten pictures in a row hold each shape once.</summary>
    public ShapeClass Class { get; }

    /// <summary>Draws picture number index.</summary>
    public static ShapesPicture Draw(long seed, int index, int height, int width)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        var image = Image.Create(height, width);
        var mask = Image.Create(height, width);
        var scene = new ShapesScene(new PictureDraws(seed, index), ClassOf(index), height, width);
        scene.Paint(image.Pixels, mask.Pixels);
        return new ShapesPicture(image, mask, ClassOf(index));
    }

    /// <summary>The class of picture number index.</summary>
    public static ShapeClass ClassOf(int index) => (ShapeClass)(index % Enum.GetValues<ShapeClass>().Length);

    /// <summary>Frees picture and mask.</summary>
    public void Dispose()
    {
        Image.Dispose();
        Mask.Dispose();
    }
}
