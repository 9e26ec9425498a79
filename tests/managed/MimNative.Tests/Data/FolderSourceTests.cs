using MimNative.Data;
using NUnit.Framework;

namespace MimNative.Tests.Data;

[TestFixture]
public sealed class FolderSourceTests
{
    [Test]
    public void Nested_pictures_are_sorted_by_relative_path_whatever_their_extensions_case()
    {
        using var folder = new TemporaryFolder();
        Write(folder, "b.PNG", "a/z.jpg", "a/Z.JPEG", "a.webp", "a/notes.txt", "a/._z.jpg", "c/d/e.Jpg", "B.jpg");
        using var source = new FolderSource(folder.Path);
        Assert.That(Names(source), Is.EqualTo(["B.jpg", "a.webp", "a/Z.JPEG", "a/z.jpg", "b.PNG", "c/d/e.Jpg"]));
        Assert.That(source.Warnings, Is.Empty);
    }

    [Test]
    public void Bytes_and_labels_belong_to_the_names()
    {
        using var folder = new TemporaryFolder();
        Write(folder, "cats/1.jpg", "dogs/black/2.jpg", "3.jpg");
        using var source = new FolderSource(folder.Path);
        var buffer = new ByteBuffer();
        for (int i = 0; i < source.Count; ++i)
        {
            Assert.That(System.Text.Encoding.UTF8.GetString(source.ReadBytes(i, buffer)), Is.EqualTo(source.Name(i)));
        }
        Assert.That(Enumerable.Range(0, 3).Select(source.Label), Is.EqualTo(new[] { null, "cats", "dogs" }));
    }

    [Test]
    public void Links_are_followed_but_not_for_ever()
    {
        using var folder = new TemporaryFolder();
        using var elsewhere = new TemporaryFolder();
        Write(folder, "a/1.jpg");
        Write(elsewhere, "2.jpg");
        Directory.CreateSymbolicLink(folder.File("a/up"), folder.Path);
        Directory.CreateSymbolicLink(folder.File("a/here"), folder.File("a"));
        Directory.CreateSymbolicLink(folder.File("out"), elsewhere.Path);
        Directory.CreateSymbolicLink(elsewhere.File("back"), folder.File("out"));
        using var source = new FolderSource(folder.Path);
        Assert.That(Names(source), Is.EqualTo(["a/1.jpg", "out/2.jpg"]));
    }

    [Test]
    public void Folder_that_cannot_be_read_is_left_out_with_a_warning()
    {
        using var folder = new TemporaryFolder();
        using var source = new FolderSource(folder.Path, path => path switch
        {
            _ when path.EndsWith("locked", StringComparison.Ordinal) => throw new UnauthorizedAccessException("no entry"),
            _ when path.EndsWith("open", StringComparison.Ordinal) => [new("1.jpg", IsFolder: false, IsLink: false)],
            _ => [new("locked", IsFolder: true, IsLink: false), new("open", IsFolder: true, IsLink: false)],
        });
        Assert.That(Names(source), Is.EqualTo(["open/1.jpg"]));
        Assert.That(source.Warnings, Has.One.Contains("'locked'").And.One.Contains("no entry"));
    }

    [Test]
    public void Missing_folder_is_named_in_the_error()
    {
        Assert.That(() => new FolderSource("/no/such/folder"),
                    Throws.TypeOf<DirectoryNotFoundException>().With.Message.Contains("/no/such/folder"));
    }

    internal static IEnumerable<string> Names(IImageSource source) => Enumerable.Range(0, source.Count).Select(source.Name);

    /// <summary>Files that hold their own names.</summary>
    internal static void Write(TemporaryFolder folder, params string[] names)
    {
        foreach (string name in names)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(folder.File(name))!);
            File.WriteAllText(folder.File(name), name);
        }
    }
}
