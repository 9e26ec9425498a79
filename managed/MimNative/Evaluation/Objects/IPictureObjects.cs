namespace MimNative.Evaluation.Objects;

/// <summary>The objects of a set of pictures, read when they are asked for.</summary>
public interface IPictureObjects
{
    /// <summary>The numbers of the pictures that have objects, ascending.</summary>
    IReadOnlyList<int> Pictures { get; }

    /// <summary>What was found that is about none of the pictures, one sentence each; empty where there is nothing.</summary>
    IReadOnlyList<string> Notes { get; }

    /// <summary>The objects of a picture of height x width: at least one for those of <see cref="Pictures"/>, none for others.</summary>
    /// <exception cref="Export.InvalidFileException">What says where they are is broken, or is about another picture.</exception>
    IReadOnlyList<PictureObject> Read(int picture, int height, int width);
}

/// <summary>Each object's bounding box in the place of its outline.</summary>
public sealed class BoundingBoxes(IPictureObjects objects) : IPictureObjects
{
    /// <inheritdoc/>
    public IReadOnlyList<int> Pictures => objects.Pictures;

    /// <inheritdoc/>
    public IReadOnlyList<string> Notes => objects.Notes;

    /// <inheritdoc/>
    public IReadOnlyList<PictureObject> Read(int picture, int height, int width) =>
        [.. objects.Read(picture, height, width).Select(o => new BoxObject(o.Bounds))];
}
