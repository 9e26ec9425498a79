using MimNative.Runtime;

namespace MimNative.Data;

/// <summary>
/// The pictures that a text file names: one path a line, absolute or relative to the list's own folder, in the order of the list. Empty
/// lines are passed over, and lines that begin with # unless there is such a file. A picture named twice is there twice.
/// </summary>
public sealed class FileListSource : FileSource
{
    public FileListSource(string list)
        : this(FileList.Read(list))
    {
    }

    private FileListSource(FileList list)
        : base(list.Folder, list.Names, [])
    {
    }
}
