using System.Runtime.InteropServices;
using MimNative.Runtime;

namespace MimNative.Tests.Data;

/// <summary>A folder whose files have names that are no UTF-8 text; .NET can neither make nor remove them.</summary>
internal sealed class OddNames : IDisposable
{
    /// <summary>The byte of an é in Latin-1, as <see cref="PathBytes"/> keeps it.</summary>
    public const char E = '\uDCE9';

    private readonly TemporaryFolder _folder = new();

    public string Path => _folder.Path;

    public string At(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>A file that holds some text.</summary>
    public void Write(string name, string text)
    {
        System.IO.File.WriteAllText(At("new"), text);
        Require(rename(Bytes(At("new")), Bytes(At(name))));
    }

    public void MakeFolder(string name) => Require(mkdir(Bytes(At(name)), 0x1ff));

    public void Link(string name, string target) => Require(symlink(Bytes(target), Bytes(At(name))));

    public void Dispose()
    {
        Empty(Path);
        _folder.Dispose();
    }

    private static void Empty(string folder)
    {
        foreach (var entry in Disk.List(folder))
        {
            string path = System.IO.Path.Combine(folder, entry.Name);
            if (entry.Kind == EntryKind.Folder)
            {
                Empty(path);
            }
            Require(remove(Bytes(path)));
        }
    }

    private static byte[] Bytes(string path) => PathBytes.ToBytes(path + '\0');

    private static void Require(int result) => NUnit.Framework.Assert.That(result, NUnit.Framework.Is.Zero);

    [DllImport("libc")]
    private static extern int rename(byte[] from, byte[] to);

    [DllImport("libc")]
    private static extern int mkdir(byte[] path, uint mode);

    [DllImport("libc")]
    private static extern int symlink(byte[] target, byte[] path);

    [DllImport("libc")]
    private static extern int remove(byte[] path);
}
