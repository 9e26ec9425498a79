using Microsoft.Win32.SafeHandles;
using MimNative.Runtime;

namespace MimNative.Data;

/// <summary>Reading whole files, and pieces of files, into a buffer.</summary>
internal static class ImageFile
{
    /// <summary>All bytes of a file.</summary>
    public static ReadOnlySpan<byte> ReadAll(string path, ByteBuffer buffer)
    {
        using var file = Disk.Open(path, FileOptions.SequentialScan);
        return ReadAt(file, 0, RandomAccess.GetLength(file), buffer, PathBytes.Shown(path));
    }

    /// <summary>The bytes from offset on; <paramref name="name"/> is for messages.</summary>
    public static ReadOnlySpan<byte> ReadAt(
        SafeFileHandle file, long offset, long count, ByteBuffer buffer, string name)
    {
        if (count > Array.MaxLength)
        {
            throw new InvalidDataException($"{name} has {count} bytes; a picture may have at most {Array.MaxLength}.");
        }
        var bytes = buffer.Take((int)count);
        Fill(bytes, file, offset, name);
        return bytes;
    }

    /// <summary>Reads as many bytes as there is room for.</summary>
    public static void Fill(Span<byte> bytes, SafeFileHandle file, long offset, string name)
    {
        for (int done = 0; done < bytes.Length;)
        {
            int read = RandomAccess.Read(file, bytes[done..], offset + done);
            if (read == 0)
            {
                throw new InvalidDataException($"{name} ends after {done} of {bytes.Length} bytes.");
            }
            done += read;
        }
    }
}
