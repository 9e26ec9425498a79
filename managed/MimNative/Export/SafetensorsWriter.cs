using System.Buffers;
using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;
using MimNative.Runtime;

namespace MimNative.Export;

/// <summary>
/// Writes safetensors files. The same tensors give the same bytes in whatever order they come: wide types
/// first, so that every tensor lies aligned to its own element size, and by name among equals.
/// </summary>
public static class SafetensorsWriter
{
    private const int PieceBytes = 1 << 20;

    private static readonly JsonWriterOptions HeaderOptions =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes a file; it appears under its name only when it is complete.</summary>
    /// <exception cref="IOException">The disk is full, the folder cannot be written, ...</exception>
    public static void Save(
        string path, IEnumerable<SafetensorsTensor> tensors,
        IReadOnlyDictionary<string, string>? metadata = null) =>
        AtomicFile.Write(path, stream => Write(stream, tensors, metadata));

    /// <summary>Writes header and data to a stream, a piece of at most 1 MiB at a time.</summary>
    public static void Write(
        Stream stream, IEnumerable<SafetensorsTensor> tensors,
        IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(tensors);
        SafetensorsTensor[] ordered =
        [
            .. tensors.OrderByDescending(t => t.Type.Size()).ThenBy(t => t.Name, StringComparer.Ordinal)
        ];
        WriteHeader(stream, ordered, metadata ?? new Dictionary<string, string>());

        byte[] piece = ArrayPool<byte>.Shared.Rent(PieceBytes);
        try
        {
            foreach (SafetensorsTensor tensor in ordered)
            {
                for (long offset = 0; offset < tensor.ByteCount; offset += PieceBytes)
                {
                    Span<byte> part =
                        piece.AsSpan(0, (int)Math.Min(PieceBytes, tensor.ByteCount - offset));
                    tensor.Bytes(offset, part);
                    stream.Write(part);
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }

    private static void WriteHeader(
        Stream stream, SafetensorsTensor[] tensors, IReadOnlyDictionary<string, string> metadata)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var header = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(header, HeaderOptions))
        {
            json.WriteStartObject();
            if (metadata.Count > 0)
            {
                json.WriteStartObject("__metadata__");
                foreach ((string key, string value) in
                    metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                {
                    json.WriteString(key, value);
                }
                json.WriteEndObject();
            }
            long begin = 0;
            foreach (SafetensorsTensor tensor in tensors)
            {
                if (!names.Add(tensor.Name))
                {
                    throw new ArgumentException(
                        $"tensors: two of them have the name '{tensor.Name}'.", nameof(tensors));
                }
                WriteEntry(json, tensor, begin);
                begin = checked(begin + tensor.ByteCount);
            }
            json.WriteEndObject();
        }

        // the data begin at a multiple of 8, which readers that map the file rely on
        int padding = -header.WrittenCount & 7;
        header.GetSpan(padding)[..padding].Fill((byte)' ');
        header.Advance(padding);
        Span<byte> prefix = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteInt64LittleEndian(prefix, header.WrittenCount);
        stream.Write(prefix);
        stream.Write(header.WrittenSpan);
    }

    private static void WriteEntry(Utf8JsonWriter json, SafetensorsTensor tensor, long begin)
    {
        json.WriteStartObject(tensor.Name);
        json.WriteString("dtype", tensor.Type.Name());
        json.WriteStartArray("shape");
        foreach (long extent in tensor.Shape)
        {
            json.WriteNumberValue(extent);
        }
        json.WriteEndArray();
        json.WriteStartArray("data_offsets");
        json.WriteNumberValue(begin);
        json.WriteNumberValue(begin + tensor.ByteCount);
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
