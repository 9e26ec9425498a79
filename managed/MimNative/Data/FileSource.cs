using MimNative.Runtime;

namespace MimNative.Data;

/// <summary>
/// Pictures that are files of their own. Names that are no UTF-8 text are shown with \xE9 in the place of such a byte.
/// </summary>
public abstract class FileSource : IImageSource
{
    private readonly string _folder;
    private readonly IReadOnlyList<string> _names;

    private protected FileSource(string folder, IReadOnlyList<string> names, IReadOnlyList<string> warnings) =>
        (_folder, _names, Warnings) = (folder, names, warnings);

    public int Count => _names.Count;

    public IReadOnlyList<string> Warnings { get; }

    public string Name(int index) => PathBytes.Shown(_names[index]);

    public string? Label(int index) => ImageNames.Label(Name(index));

    public ReadOnlySpan<byte> ReadBytes(int index, ByteBuffer buffer) =>
        ImageFile.ReadAll(Path.Combine(_folder, _names[index]), buffer);

    /// <summary>Nothing stays open between reads.</summary>
    public void Dispose() => GC.SuppressFinalize(this);
}
