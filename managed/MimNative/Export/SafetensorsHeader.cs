using System.Text.Json;
using System.Text.Unicode;

namespace MimNative.Export;

/// <summary>
/// The JSON header of a safetensors file. Everything in it is checked before anything is believed: names
/// are unique, types known, sizes positive and without overflow, and the tensors cover the data
/// exactly once, without hole or overlap.
/// </summary>
internal sealed class SafetensorsHeader
{
    /// <summary>The longest header that is read; the format's own limit.</summary>
    public const long LongestHeader = 100_000_000;

    private readonly string _path;
    private readonly long _dataStart, _dataBytes;
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SafetensorsEntry> _entries = new(StringComparer.Ordinal);

    private SafetensorsHeader(string path, long dataStart, long dataBytes) =>
        (_path, _dataStart, _dataBytes) = (path, dataStart, dataBytes);

    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    public IReadOnlyDictionary<string, SafetensorsEntry> Entries => _entries;

    /// <summary>Reads a header whose data begin at dataStart and are dataBytes long.</summary>
    public static SafetensorsHeader Parse(
        string path, ReadOnlySpan<byte> json, long dataStart, long dataBytes)
    {
        if (!Utf8.IsValid(json))
        {
            throw new InvalidFileException(path, "the header is not valid UTF-8.");
        }
        var header = new SafetensorsHeader(path, dataStart, dataBytes);
        try
        {
            var reader = new Utf8JsonReader(json);
            header.ReadAll(ref reader);
        }
        catch (JsonException failure)
        {
            throw new InvalidFileException(
                path, $"the header is not valid JSON: {failure.Message.TrimEnd('.')}.", failure);
        }
        header.CheckCover();
        return header;
    }

    private void ReadAll(ref Utf8JsonReader reader)
    {
        reader.Read();
        Require(reader.TokenType == JsonTokenType.StartObject, "the header is not a JSON object.");
        bool metadataSeen = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = Text(ref reader);
            reader.Read();
            if (name == "__metadata__")
            {
                Require(!metadataSeen, "the header holds '__metadata__' twice.");
                metadataSeen = true;
                ReadMetadata(ref reader);
            }
            else
            {
                Require(name.Length > 0, "a tensor has an empty name.");
                Require(_entries.TryAdd(name, ReadEntry(ref reader, name)),
                    $"the header holds the tensor '{name}' twice.");
            }
        }
        reader.Read();  // nothing but white space may follow; the reader throws otherwise
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        Require(reader.TokenType == JsonTokenType.StartObject, "'__metadata__' is not an object.");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string key = Text(ref reader);
            reader.Read();
            Require(reader.TokenType == JsonTokenType.String,
                $"'__metadata__' has a value that is not a string, under the key '{key}'.");
            Require(_metadata.TryAdd(key, Text(ref reader)),
                $"'__metadata__' has the key '{key}' twice.");
        }
    }

    private SafetensorsEntry ReadEntry(ref Utf8JsonReader reader, string name)
    {
        Require(reader.TokenType == JsonTokenType.StartObject,
            $"the description of tensor '{name}' is not an object.");
        SafetensorsType? type = null;
        long[]? shape = null, offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string key = Text(ref reader);
            reader.Read();
            switch (key)
            {
                case "dtype":
                    Require(type is null, $"tensor '{name}' has two dtypes.");
                    type = ReadType(ref reader, name);
                    break;
                case "shape":
                    Require(shape is null, $"tensor '{name}' has two shapes.");
                    shape = ReadNumbers(ref reader, name, key);
                    break;
                case "data_offsets":
                    Require(offsets is null, $"tensor '{name}' has data_offsets twice.");
                    offsets = ReadNumbers(ref reader, name, key);
                    break;
                default:
                    reader.Skip();  // a later version of the format may say more about a tensor
                    break;
            }
        }
        return Entry(name, type, shape, offsets);
    }

    private SafetensorsType ReadType(ref Utf8JsonReader reader, string name)
    {
        Require(reader.TokenType == JsonTokenType.String,
            $"the dtype of tensor '{name}' is not a string.");
        string text = Text(ref reader);
        if (!SafetensorsTypes.TryParse(text, out SafetensorsType type))
        {
            string known = string.Join(", ", Enum.GetValues<SafetensorsType>().Select(t => t.Name()));
            throw Invalid($"tensor '{name}' has the dtype '{text}', which is none of {known}.");
        }
        return type;
    }

    private long[] ReadNumbers(ref Utf8JsonReader reader, string name, string key)
    {
        Require(reader.TokenType == JsonTokenType.StartArray,
            $"{key} of tensor '{name}' is not a list.");
        var numbers = new List<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            Require(reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out _),
                $"{key} of tensor '{name}' holds something other than 64-bit whole numbers.");
            long number = reader.GetInt64();
            Require(number >= 0, $"{key} of tensor '{name}' holds the negative number {number}.");
            numbers.Add(number);
        }
        return [.. numbers];
    }

    private SafetensorsEntry Entry(string name, SafetensorsType? type, long[]? shape, long[]? offsets)
    {
        if (type is null || shape is null || offsets is null)
        {
            string missing = type is null ? "dtype" : shape is null ? "shape" : "data_offsets";
            throw Invalid($"tensor '{name}' has no {missing}.");
        }
        Require(offsets.Length == 2,
            $"data_offsets of tensor '{name}' holds {offsets.Length} numbers instead of 2.");
        (long begin, long end) = (offsets[0], offsets[1]);
        Require(begin <= end, $"tensor '{name}' ends at byte {end}, before its begin at {begin}.");
        Require(end <= _dataBytes, $"tensor '{name}' ends at byte {end} of the data, "
            + $"but the file holds only {_dataBytes} bytes of data.");

        string text = string.Join(", ", shape);
        long bytes = type.Value.Size();
        try
        {
            foreach (long size in shape)
            {
                bytes = checked(bytes * size);
            }
        }
        catch (OverflowException failure)
        {
            throw new InvalidFileException(
                _path, $"tensor '{name}' is too large: its shape is [{text}].", failure);
        }
        Require(bytes == end - begin, $"tensor '{name}' needs {bytes} bytes by its shape [{text}] "
            + $"and dtype {type.Value.Name()}, but its data_offsets give it {end - begin}.");
        return new SafetensorsEntry(name, type.Value, shape, _dataStart + begin, bytes);
    }

    private void CheckCover()
    {
        long covered = _dataStart;
        foreach (SafetensorsEntry entry in
            _entries.Values.OrderBy(e => e.Offset).ThenBy(e => e.Bytes))
        {
            Require(entry.Offset >= covered, $"the data of tensor '{entry.Name}' overlap another's.");
            Require(entry.Offset == covered,
                $"{entry.Offset - covered} bytes in front of tensor '{entry.Name}' belong to no tensor.");
            covered += entry.Bytes;
        }
        long rest = _dataStart + _dataBytes - covered;
        Require(rest == 0, $"{rest} bytes at the end of the file belong to no tensor.");
    }

    /// <summary>The current name or string; its escapes may still spell half a character.</summary>
    private string Text(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException failure)
        {
            throw new InvalidFileException(
                _path, "the header holds a string that is not valid Unicode.", failure);
        }
    }

    private void Require(bool condition, string problem)
    {
        if (!condition)
        {
            throw Invalid(problem);
        }
    }

    private InvalidFileException Invalid(string problem) => new(_path, problem);
}
