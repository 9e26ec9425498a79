using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace MimNative.Runtime;

/// <summary>
/// Makes renames and new names in a folder survive a power failure. Flushing a file's content is not
/// enough on Unix: the folder that names it is a file of its own, and .NET cannot open a folder.
/// </summary>
internal static partial class DirectorySync
{
    private const int ReadOnly = 0;

    /// <summary>Flushes the folder's entries to the disk. Windows does this by itself.</summary>
    /// <exception cref="IOException">The folder cannot be opened, or its disk fails.</exception>
    public static void Flush(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }
        int descriptor = Open(folder, ReadOnly);
        if (descriptor < 0)
        {
            int error = Marshal.GetLastPInvokeError();
            throw new IOException(
                $"The folder '{folder}' could not be flushed to disk: {Marshal.GetPInvokeErrorMessage(error)}.", error);
        }
        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        RandomAccess.FlushToDisk(handle);  // no error on file systems that cannot flush a folder
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);
}
