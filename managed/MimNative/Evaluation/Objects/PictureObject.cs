using MimNative.Data;

namespace MimNative.Evaluation.Objects;

/// <summary>An object in a picture: a set of its pixels, known by how much of it lies in any rectangle.</summary>
public abstract class PictureObject
{
    /// <summary>The smallest rectangle around it.</summary>
    public abstract Region Bounds { get; }

    /// <summary>Its pixels.</summary>
    public double Area => AreaIn(Bounds);

    /// <summary>Its pixels inside a rectangle.</summary>
    public abstract double AreaIn(in Region region);
}

/// <summary>A rectangular object.</summary>
public sealed class BoxObject(Region box) : PictureObject
{
    /// <inheritdoc/>
    public override Region Bounds => box;

    /// <inheritdoc/>
    public override double AreaIn(in Region region) => box.Intersect(region).Area;
}
