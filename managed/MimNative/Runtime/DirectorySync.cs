using System.Runtime.InteropServices;

namespace MimNative.Runtime;

/// <summary>
/// Makes renames and new names in a folder survive a power failure. Flushing a file's content is not
/// enough on Unix: the folder that names it is a file of its own, and .NET cannot open a folder.
/// </summary>
internal static partial class DirectorySync
{
    private const int ReadOnly = 0;
    private const int InvalidArgument = 22;  // EINVAL: this file system cannot flush a folder

    /// <summary>Flushes the folder's entries to the disk. Windows does this by itself.</summary>
    public static void Flush(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }
        int descriptor = Open(folder, ReadOnly);
        if (descriptor < 0)
        {
            throw Failure(folder, Marshal.GetLastPInvokeError());
        }
        try
        {
            if (Fsync(descriptor) != 0 && Marshal.GetLastPInvokeError() is var error
                && error != InvalidArgument)
            {
                throw Failure(folder, error);
            }
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    private static IOException Failure(string folder, int error) =>
        new($"The folder '{folder}' could not be flushed to disk: "
            + $"{Marshal.GetPInvokeErrorMessage(error)}.", error);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true,
        StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
