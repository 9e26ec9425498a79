using System.Text.Json.Serialization;
using System.Runtime.InteropServices;
using MimNative.Interop;

namespace MimNative.Runtime;

/// <summary>
/// An 8-bit RGB picture in native memory: (height, width, 3), rows dense, top row first. What can be done with it is in
/// <see cref="MimNative.Ops"/>. Its memory goes with Dispose.
/// </summary>
public sealed unsafe class Image : IDisposable
{
    private readonly ImageHandle _handle;

    // takes over the native image
    internal Image(mim_image* native)
    {
        _handle = new ImageHandle(native);
        Height = Mim.mim_image_height(native);
        Width = Mim.mim_image_width(native);
    }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>Columns.</summary>
    public int Width { get; }

    /// <summary>The whole picture as a box.</summary>
    public Box Box => new(0, 0, Height, Width);

    /// <summary>
    /// The pixels, to read and to write. The span must not be used after <see cref="Dispose"/>; keep the image under
    /// <c>using</c> for as long as the span is.
    /// </summary>
    public Span<byte> Pixels
    {
        get
        {
            using var use = Use();
            return new Span<byte>(Mim.mim_image_pixels(use.Native), checked(Height * Width * 3));
        }
    }

    /// <summary>
    /// Decodes a JPEG, PNG or WebP. Grey is repeated, alpha dropped, and the picture turned as its EXIF or XMP data
    /// say unless <paramref name="applyOrientation"/> is false.
    /// </summary>
    /// <exception cref="MimException">With <see cref="MimStatus.CorruptData"/> where the bytes are no such picture, or
    /// some of its pixels are damaged or missing. Other defects of a file are no reason.</exception>
    public static Image Decode(ReadOnlySpan<byte> bytes, bool applyOrientation = true)
    {
        mim_image* native = null;
        fixed (byte* start = bytes)
        {
            Mim.mim_image_decode(&native, start, bytes.Length, applyOrientation ? 1 : 0);
        }
        return new Image(native);
    }

    /// <summary>A black picture.</summary>
    public static Image Create(int height, int width)
    {
        mim_image* native = null;
        Mim.mim_image_create(&native, height, width, null);
        return new Image(native);
    }

    /// <summary>A picture with a copy of these pixels: height * width * 3 bytes.</summary>
    public static Image Create(int height, int width, ReadOnlySpan<byte> pixels)
    {
        if (pixels.Length != (long)height * width * 3)
        {
            throw new ArgumentException($"A picture of {height} x {width} has {(long)height * width * 3} bytes; " +
                                        $"{pixels.Length} came.", nameof(pixels));
        }
        mim_image* native = null;
        fixed (byte* start = pixels)
        {
            Mim.mim_image_create(&native, height, width, start);
        }
        return new Image(native);
    }

    /// <summary>Frees the pixels.</summary>
    public void Dispose() => _handle.Dispose();

    // Keeps the native image alive for a call, even against a Dispose from another thread.
    internal Lease Use() => new(_handle);

    internal readonly ref struct Lease
    {
        private readonly ImageHandle _handle;

        public Lease(ImageHandle handle)
        {
            bool added = false;
            handle.DangerousAddRef(ref added);
            _handle = handle;
        }

        public mim_image* Native => (mim_image*)_handle.DangerousGetHandle();

        public void Dispose() => _handle.DangerousRelease();
    }

    internal sealed class ImageHandle : SafeHandle
    {
        public ImageHandle()
            : base(0, ownsHandle: true)
        {
        }

        public ImageHandle(mim_image* native)
            : this() => SetHandle((nint)native);

        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            Mim.mim_image_destroy((mim_image*)handle);
            return true;
        }
    }
}

/// <summary>A rectangle of pixels.</summary>
public readonly record struct Box(int Top, int Left, int Height, int Width);

/// <summary>How pixels between pixels are made. Shrinking is antialiased, as Pillow does it.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Interpolation>))]
public enum Interpolation
{
    /// <summary>Straight lines between neighbours.</summary>
    [JsonStringEnumMemberName("bilinear")] Bilinear = 0,

    /// <summary>Keys' cubic with a = -0.5.</summary>
    [JsonStringEnumMemberName("bicubic")] Bicubic = 1,
}

/// <summary>The kind of an encoded picture.</summary>
public enum ImageFormat
{
    /// <summary>None of those known.</summary>
    Unknown = 0,

    /// <summary>JPEG.</summary>
    Jpeg = 1,

    /// <summary>PNG.</summary>
    Png = 2,

    /// <summary>WebP.</summary>
    Webp = 3,
}

/// <summary>What the header of an encoded picture says: size after the EXIF orientation, channels as stored.</summary>
public readonly record struct ImageInfo(ImageFormat Format, int Width, int Height, int Channels, int Orientation);
