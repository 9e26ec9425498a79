using System.IO.Enumeration;
using Microsoft.Win32.SafeHandles;

namespace MimNative.Runtime;

/// <summary>
/// Folders and files by names that may be any bytes (<see cref="PathBytes"/>). .NET decodes names as UTF-8 and cannot open what is
/// none, so on Linux folders are listed by the C library, which also tells files, folders and links apart without asking for each.
/// </summary>
internal static class Disk
{
    private static readonly bool IsLinux = OperatingSystem.IsLinux() && Environment.Is64BitProcess;

    /// <summary>What is in a folder, in no order.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static IReadOnlyList<DiskEntry> List(string folder) => IsLinux
        ? LinuxDisk.List(folder)
        : [.. new FileSystemEnumerable<DiskEntry>(
            folder,
            static (ref FileSystemEntry entry) => new DiskEntry(
                entry.FileName.ToString(),
                (entry.Attributes & FileAttributes.ReparsePoint) != 0 ? EntryKind.Link : entry.IsDirectory ? EntryKind.Folder : EntryKind.File),
            new EnumerationOptions { AttributesToSkip = 0, IgnoreInaccessible = false })];

    /// <summary>What a path leads to, links followed.</summary>
    public static EntryKind KindOf(string path) =>
        IsLinux ? LinuxDisk.KindOf(path, followLink: true)
        : Directory.Exists(path) ? EntryKind.Folder
        : File.Exists(path) ? EntryKind.File
        : EntryKind.Missing;

    /// <summary>A file, to read.</summary>
    public static SafeFileHandle Open(string path, FileOptions options) =>
        PathBytes.IsText(path) ? File.OpenHandle(path, options: options) : LinuxDisk.Open(path);

    /// <summary>The path of something that exists, without any link in it.</summary>
    /// <exception cref="IOException">It does not exist, or its links lead in a circle.</exception>
    /// <exception cref="UnauthorizedAccessException">A folder on the way may not be read.</exception>
    public static string RealPath(string path) => IsLinux ? LinuxDisk.RealPath(path) : WithoutLinks(Path.GetFullPath(path));

    /// <summary>The same of a path whose end does not exist yet.</summary>
    public static string RealPathOfNew(string path)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        return KindOf(full) != EntryKind.Missing || Path.GetDirectoryName(full) is not { } parent
            ? RealPath(full)
            : Path.Combine(RealPathOfNew(parent), Path.GetFileName(full));
    }

    private static string WithoutLinks(string path)
    {
        if (Path.GetDirectoryName(path) is not { } parent)
        {
            return path;
        }
        string here = Path.Combine(WithoutLinks(parent), Path.GetFileName(path));
        FileSystemInfo info = Directory.Exists(here) ? new DirectoryInfo(here) : new FileInfo(here);
        return info.ResolveLinkTarget(returnFinalTarget: true) is { } target ? WithoutLinks(target.FullName) : here;
    }
}
