using MimNative.Runtime;

namespace MimNative.Cli.Commands;

/// <summary>Files that a command makes where its user says.</summary>
internal static class OutputFile
{
    /// <summary>Makes the folder of a file that will be written, so that a place that cannot be is named before the work.</summary>
    /// <exception cref="IOException">The folder cannot be made, or the path is a folder itself.</exception>
    public static void Prepare(string path)
    {
        if (Directory.Exists(path))
        {
            throw new IOException($"'{path}' could not be written: it is a folder, expected the name of a file.");
        }
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            throw new IOException($"'{path}' could not be written: {DiskFailure.Reason(e)}.", e);
        }
    }

    /// <summary>Writes a file, complete or not at all.</summary>
    public static void Write(string path, byte[] content)
    {
        Prepare(path);
        AtomicFile.Write(path, stream => stream.Write(content));
    }
}
