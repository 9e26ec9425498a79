namespace MimNative.Tests.Training;

/// <summary>A file on a disk that takes only so many bytes more, whatever file they are for.</summary>
internal sealed class FullDisk(string path, Func<int> room, Action<int> setRoom)
    : FileStream(path, FileMode.CreateNew)
{
    private const int NoSpace = 28, WindowsDiskFull = unchecked((int)0x80070070);

    // Everything comes through here: FileStream sends the spans of a derived class this way.
    public override void Write(byte[] buffer, int offset, int count)
    {
        if (count > room())
        {
            throw new IOException("No space left on device",
                OperatingSystem.IsWindows() ? WindowsDiskFull : NoSpace);
        }
        setRoom(room() - count);
        base.Write(buffer, offset, count);
    }
}
