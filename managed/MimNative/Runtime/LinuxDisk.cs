using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace MimNative.Runtime;

/// <summary>The part of <see cref="Disk"/> that 64-bit Linux does by the C library, whose names are bytes.</summary>
internal static unsafe partial class LinuxDisk
{
    // <fcntl.h>, <limits.h>, <sys/stat.h>
    private const int CloseOnExec = 0x80000, CurrentFolder = -100, DoNotFollow = 0x100;
    private const int LongestPath = 4096;
    private const uint TypeOnly = 1;

    // struct dirent: inode (8 bytes), offset (8), length (2), type (1), name
    private const int EntryType = 18, EntryName = 19;

    // struct statx has the same layout on every processor: the mode is the 16-bit number at byte 28
    private const int StatusSize = 256, StatusMode = 28, TypeBits = 0xf000;

    public static List<DiskEntry> List(string folder)
    {
        nint stream;
        fixed (byte* path = Terminated(folder))
        {
            stream = OpenFolder(path);
        }
        if (stream == 0)
        {
            throw Failure(folder);
        }
        try
        {
            var entries = new List<DiskEntry>();
            while (ReadFolder(stream) is var entry && entry != null)
            {
                var bytes = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(entry + EntryName);
                if (!bytes.SequenceEqual("."u8) && !bytes.SequenceEqual(".."u8))
                {
                    string name = PathBytes.FromBytes(bytes);
                    entries.Add(new DiskEntry(name, KindOfType(entry[EntryType]) ?? KindOf(Path.Combine(folder, name), followLink: false)));
                }
            }
            return Marshal.GetLastPInvokeError() == 0 ? entries : throw Failure(folder);
        }
        finally
        {
            _ = CloseFolder(stream);
        }
    }

    public static EntryKind KindOf(string path, bool followLink)
    {
        byte* status = stackalloc byte[StatusSize];
        fixed (byte* bytes = Terminated(path))
        {
            return Status(CurrentFolder, bytes, followLink ? 0 : DoNotFollow, TypeOnly, status) != 0
                ? EntryKind.Missing
                : (*(ushort*)(status + StatusMode) & TypeBits) switch
                {
                    0x8000 => EntryKind.File,
                    0x4000 => EntryKind.Folder,
                    0xa000 => EntryKind.Link,
                    _ => EntryKind.Other,
                };
        }
    }

    public static SafeFileHandle Open(string path)
    {
        fixed (byte* bytes = Terminated(path))
        {
            int descriptor = OpenFile(bytes, CloseOnExec);
            return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw Failure(path);
        }
    }

    public static string RealPath(string path)
    {
        byte* real = stackalloc byte[LongestPath + 1];
        fixed (byte* bytes = Terminated(path))
        {
            return Resolve(bytes, real) != null
                ? PathBytes.FromBytes(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(real))
                : throw Failure(path);
        }
    }

    // Null where the file system does not tell.
    private static EntryKind? KindOfType(byte type) => type switch
    {
        0 => null,
        4 => EntryKind.Folder,
        8 => EntryKind.File,
        10 => EntryKind.Link,
        _ => EntryKind.Other,
    };

    private static byte[] Terminated(string path) => PathBytes.ToBytes(path + '\0');

    // With the exceptions that .NET throws for the same.
    private static Exception Failure(string path)
    {
        const int NotFound = 2, NoAccess = 13, NotPermitted = 1;
        int error = Marshal.GetLastPInvokeError();
        string message = $"'{PathBytes.Shown(path)}': {Marshal.GetPInvokeErrorMessage(error)}";
        return error switch
        {
            NotFound => new FileNotFoundException(message, path),
            NoAccess or NotPermitted => new UnauthorizedAccessException(message),
            _ => new IOException(message, error),
        };
    }

    [LibraryImport("libc", EntryPoint = "opendir", SetLastError = true)]
    private static partial nint OpenFolder(byte* path);

    [LibraryImport("libc", EntryPoint = "readdir", SetLastError = true)]
    private static partial byte* ReadFolder(nint stream);

    [LibraryImport("libc", EntryPoint = "closedir")]
    private static partial int CloseFolder(nint stream);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true)]
    private static partial int OpenFile(byte* path, int flags);

    [LibraryImport("libc", EntryPoint = "realpath", SetLastError = true)]
    private static partial byte* Resolve(byte* path, byte* real);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    private static partial int Status(int folder, byte* path, int flags, uint mask, byte* status);
}
