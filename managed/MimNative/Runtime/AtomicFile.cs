namespace MimNative.Runtime;

/// <summary>Writes a file so that its name only ever stands for a complete one.</summary>
internal static class AtomicFile
{
    /// <summary>
    /// Writes <paramref name="path"/> under a temporary name beside it, flushes it to the disk and
    /// renames it. When anything fails, the file that was there before is untouched.
    /// </summary>
    /// <exception cref="IOException">The disk is full, the folder cannot be written, ...</exception>
    public static void Write(string path, Action<Stream> content)
    {
        string unfinished = path + ".partial";
        try
        {
            try
            {
                using (var stream = new FileStream(unfinished, FileMode.Create, FileAccess.Write))
                {
                    content(stream);
                    stream.Flush(flushToDisk: true);
                }
                File.Move(unfinished, path, overwrite: true);
                DirectorySync.Flush(Path.GetDirectoryName(Path.GetFullPath(path))!);
            }
            catch
            {
                Remove(unfinished);
                throw;
            }
        }
        catch (Exception failure) when (DiskFailure.Is(failure))
        {
            throw new IOException(
                $"'{path}' could not be written: {DiskFailure.Reason(failure)}.", failure);
        }
    }

    private static void Remove(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception failure) when (DiskFailure.Is(failure))
        {
            // the first failure is the one worth reporting; the next write replaces the leftover
        }
    }
}
