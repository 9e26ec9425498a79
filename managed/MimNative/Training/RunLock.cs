using MimNative.Runtime;

namespace MimNative.Training;

/// <summary>
/// Keeps a run to one process: two that trained it at once would write over each other's checkpoints. The system gives the lock
/// back when the process ends, however it ends; the empty file run.lock stays and says nothing.
/// </summary>
internal sealed class RunLock : IDisposable
{
    private readonly FileStream _file;

    /// <summary>Takes the lock of the run in a folder.</summary>
    /// <exception cref="IOException">Another process has it, or the folder cannot be written.</exception>
    public RunLock(string folder)
    {
        try
        {
            _file = new FileStream(In(folder), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (IsTaken(e))
        {
            throw new IOException($"the run '{folder}' is being trained by another process; stop that one first", e);
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            throw new IOException($"the run folder '{folder}' cannot be written: {DiskFailure.Reason(e)}", e);
        }
    }

    /// <summary>Whether a process trains the run in a folder now. Reads only, so a folder that cannot be written can be asked about.</summary>
    public static bool IsHeld(string folder)
    {
        try
        {
            using var file = new FileStream(In(folder), FileMode.Open, FileAccess.Read, FileShare.Read);
            return false;
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            return e is IOException taken && IsTaken(taken);  // otherwise there is no such file, or none for us
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static string In(string folder) => Path.Combine(folder, "run.lock");

    // EWOULDBLOCK of flock on Linux and macOS, ERROR_SHARING_VIOLATION on Windows.
    private static bool IsTaken(IOException e) => e.HResult is 11 or 35 or unchecked((int)0x80070020);
}
