using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using MimNative.Runtime;

namespace MimNative.Export;

/// <summary>
/// A safetensors file, open for reading: eight bytes with the length of a JSON header (little-endian),
/// the header, the numbers. Opening reads and checks the header only, so a file may be larger than
/// memory. Safe to read from several threads.
/// </summary>
/// <remarks>
/// Whatever is wrong with a file is an <see cref="InvalidFileException"/>. Numbers are stored
/// little-endian, which every supported platform is.
/// </remarks>
public sealed class SafetensorsFile : IDisposable
{
    private readonly SafeFileHandle _handle;
    private readonly SafetensorsHeader _header;

    private SafetensorsFile(string path, SafeFileHandle handle)
    {
        Path = path;
        _handle = handle;
        _header = ReadHeader();
        Entries = [.. _header.Entries.Values.OrderBy(e => e.Name, StringComparer.Ordinal)];
    }

    /// <summary>The path that the file was opened with.</summary>
    public string Path { get; }

    /// <summary>The strings that the writer stored beside the tensors.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _header.Metadata;

    /// <summary>All tensors, in the order of their names.</summary>
    public IReadOnlyList<SafetensorsEntry> Entries { get; }

    /// <summary>Opens a file and checks its header.</summary>
    /// <exception cref="InvalidFileException">It is missing, unreadable or damaged.</exception>
    public static SafetensorsFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        SafeFileHandle? handle = null;
        try
        {
            handle = File.OpenHandle(path);
            var file = new SafetensorsFile(path, handle);
            handle = null;
            return file;
        }
        catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InvalidFileException(path, "there is no such file.", failure);
        }
        catch (Exception failure) when (DiskFailure.Is(failure) || failure is NotSupportedException)
        {
            string reason = Directory.Exists(path) ? "it is a folder"
                : failure is UnauthorizedAccessException ? "there is no permission to read it"
                : failure.Message.TrimEnd('.');
            throw new InvalidFileException(path, $"cannot be opened: {reason}.", failure);
        }
        finally
        {
            handle?.Dispose();
        }
    }

    /// <summary>Whether there is a tensor of this name.</summary>
    public bool Contains(string name) => _header.Entries.ContainsKey(name);

    /// <summary>The tensor of this name.</summary>
    /// <exception cref="InvalidFileException">There is none.</exception>
    public SafetensorsEntry this[string name] =>
        _header.Entries.TryGetValue(name, out SafetensorsEntry? entry)
            ? entry
            : throw new InvalidFileException(Path,
                $"there is no tensor '{name}'{NearestName.Question(name, Entries.Select(e => e.Name))}");

    /// <summary>The tensor as it is stored.</summary>
    public byte[] ReadBytes(string name)
    {
        SafetensorsEntry entry = this[name];
        var bytes = new byte[ArrayLength(entry, entry.Bytes)];
        ReadBytes(name, 0, bytes);
        return bytes;
    }

    /// <summary>Fills destination with the tensor's stored bytes from <paramref name="offset"/> on.</summary>
    public void ReadBytes(string name, long offset, Span<byte> destination)
    {
        SafetensorsEntry entry = this[name];
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        if (offset > entry.Bytes - destination.Length)
        {
            throw new ArgumentOutOfRangeException(nameof(offset),
                $"Bytes {offset} to {offset + destination.Length} are not all inside tensor '{name}', "
                + $"which has {entry.Bytes} bytes.");
        }
        Fill(entry.Offset + offset, destination, name);
    }

    /// <summary>A floating-point tensor of any type as floats (F64 is rounded, F16 and BF16 are exact).</summary>
    public float[] ReadFloats(string name)
    {
        SafetensorsEntry entry = this[name];
        var values = new float[ArrayLength(entry, entry.Count)];
        ReadFloats(name, 0, values);
        return values;
    }

    /// <summary>
    /// Fills destination with elements of a floating-point tensor from <paramref name="first"/> on. Tensors
    /// too large for one array are read in such pieces.
    /// </summary>
    public void ReadFloats(string name, long first, Span<float> destination)
    {
        SafetensorsEntry entry = this[name];
        switch (entry.Type)
        {
            case SafetensorsType.F32:
                ReadBytes(name, checked(first * sizeof(float)), MemoryMarshal.AsBytes(destination));
                break;
            case SafetensorsType.BF16:
                ReadElements(entry, first, destination, static bytes => BitConverter.Int32BitsToSingle(
                    BinaryPrimitives.ReadUInt16LittleEndian(bytes) << 16));
                break;
            case SafetensorsType.F16:
                ReadElements(entry, first, destination, static bytes =>
                    (float)BinaryPrimitives.ReadHalfLittleEndian(bytes));
                break;
            case SafetensorsType.F64:
                ReadElements(entry, first, destination, static bytes =>
                    (float)BinaryPrimitives.ReadDoubleLittleEndian(bytes));
                break;
            default:
                throw WrongType(entry, "floating-point numbers (F32, BF16, F16 or F64)");
        }
    }

    /// <summary>A U8, I32 or I64 tensor as integers.</summary>
    /// <exception cref="InvalidFileException">Another type, or a number beyond 32 bits.</exception>
    public int[] ReadInts(string name)
    {
        SafetensorsEntry entry = this[name];
        var values = new int[ArrayLength(entry, entry.Count)];
        switch (entry.Type)
        {
            case SafetensorsType.I32:
                ReadBytes(name, 0, MemoryMarshal.AsBytes(values.AsSpan()));
                break;
            case SafetensorsType.U8:
                ReadElements(entry, 0, values.AsSpan(), static bytes => (int)bytes[0]);
                break;
            case SafetensorsType.I64:
                ReadElements(entry, 0, values.AsSpan(), bytes =>
                {
                    long value = BinaryPrimitives.ReadInt64LittleEndian(bytes);
                    return value is >= int.MinValue and <= int.MaxValue
                        ? (int)value
                        : throw new InvalidFileException(Path,
                            $"tensor '{name}' holds {value}, which does not fit 32 bits.");
                });
                break;
            default:
                throw WrongType(entry, "integers (I32, I64 or U8)");
        }
        return values;
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _handle.Dispose();

    private SafetensorsHeader ReadHeader()
    {
        long length = RandomAccess.GetLength(_handle);
        if (length < sizeof(ulong))
        {
            throw new InvalidFileException(
                Path, $"a safetensors file has at least 8 bytes, but this one has {length}.");
        }
        Span<byte> prefix = stackalloc byte[sizeof(ulong)];
        Fill(0, prefix, "the header's length");
        ulong header = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (header > SafetensorsHeader.LongestHeader)
        {
            throw new InvalidFileException(Path, $"the first 8 bytes give a header of {header} bytes, more "
                + $"than the {SafetensorsHeader.LongestHeader} allowed; is it a safetensors file?");
        }
        long dataStart = sizeof(ulong) + (long)header;
        if (dataStart > length)
        {
            throw new InvalidFileException(Path,
                $"the header should have {header} bytes, but the file ends after {length - 8} of them.");
        }
        var json = new byte[header];
        Fill(sizeof(ulong), json, "the header");
        return SafetensorsHeader.Parse(Path, json, dataStart, length - dataStart);
    }

    private delegate T Decode<T>(ReadOnlySpan<byte> bytes);

    private void ReadElements<T>(SafetensorsEntry entry, long first, Span<T> destination, Decode<T> decode)
    {
        const int pieceBytes = 1 << 16;
        int size = entry.Type.Size();
        var piece = new byte[(int)Math.Min(pieceBytes, (long)destination.Length * size)];
        while (destination.Length > 0)
        {
            int count = Math.Min(destination.Length, piece.Length / size);
            Span<byte> bytes = piece.AsSpan(0, count * size);
            ReadBytes(entry.Name, checked(first * size), bytes);
            for (int i = 0; i < count; ++i)
            {
                destination[i] = decode(bytes.Slice(i * size, size));
            }
            destination = destination[count..];
            first += count;
        }
    }

    private void Fill(long position, Span<byte> destination, string what)
    {
        while (destination.Length > 0)
        {
            int read;
            try
            {
                read = RandomAccess.Read(_handle, destination, position);
            }
            catch (IOException failure)
            {
                throw new InvalidFileException(
                    Path, $"'{what}' cannot be read: {failure.Message.TrimEnd('.')}.", failure);
            }
            if (read == 0)
            {
                throw new InvalidFileException(
                    Path, $"the file ends inside '{what}'; it was cut off after it had been opened.");
            }
            destination = destination[read..];
            position += read;
        }
    }

    private int ArrayLength(SafetensorsEntry entry, long length) =>
        length <= Array.MaxLength
            ? (int)length
            : throw new InvalidFileException(Path,
                $"tensor '{entry.Name}' is too large for one array; it has to be read in pieces.");

    private InvalidFileException WrongType(SafetensorsEntry entry, string expected) =>
        new(Path, $"tensor '{entry.Name}' should hold {expected}, but holds {entry.Type.Name()}.");
}
