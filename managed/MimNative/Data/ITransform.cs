using MimNative.Runtime;

namespace MimNative.Data;

/// <summary>
/// Makes a training view of a picture: a crop of a fixed size, perhaps mirrored. It holds only settings;
/// what is random comes in as uniform numbers, so the same picture and numbers give the same view. Safe from any
/// thread.
/// </summary>
public interface ITransform
{
    /// <summary>Rows of a view.</summary>
    int Height { get; }

    /// <summary>Columns of a view.</summary>
    int Width { get; }

    /// <summary>How many uniform numbers in [0, 1) one view needs.</summary>
    int UniformCount { get; }

    /// <summary>Writes the view. pixels: (Height, Width, 3); <see cref="Ops.NormalizeImages"/> makes the values of a network of them.</summary>
    void Apply(Image image, ReadOnlySpan<float> uniforms, Span<byte> pixels);

    /// <summary>Where the view of a picture of height x width comes from that <see cref="Apply"/> makes with these numbers.</summary>
    ViewOrigin Origin(int height, int width, ReadOnlySpan<float> uniforms);
}
