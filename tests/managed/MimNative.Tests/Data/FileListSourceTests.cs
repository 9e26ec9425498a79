using MimNative.Data;
using NUnit.Framework;

namespace MimNative.Tests.Data;

[TestFixture]
public sealed class FileListSourceTests
{
    [Test]
    public void Paths_are_relative_to_the_list_and_in_its_order()
    {
        using var folder = new TemporaryFolder();
        FolderSourceTests.Write(folder, "lists/b.jpg", "a.jpg", "lists/c d.jpg");
        File.WriteAllLines(folder.File("lists/train.txt"),
                           ["# comment", "c d.jpg", "", "  ../a.jpg ", "b.jpg", folder.File("a.jpg"), "b.jpg"]);
        using var source = new FileListSource(folder.File("lists/train.txt"));
        Assert.That(FolderSourceTests.Names(source),
                    Is.EqualTo(["c d.jpg", "../a.jpg", "b.jpg", folder.File("a.jpg"), "b.jpg"]));
        Assert.That(System.Text.Encoding.UTF8.GetString(source.ReadBytes(1, new ByteBuffer())), Is.EqualTo("a.jpg"));
    }

    [Test]
    public void Missing_picture_is_named_with_its_line()
    {
        using var folder = new TemporaryFolder();
        FolderSourceTests.Write(folder, "a.jpg");
        File.WriteAllLines(folder.File("train.txt"), ["a.jpg", "# more", "gone.jpg", "gone too.jpg"]);
        Assert.That(() => new FileListSource(folder.File("train.txt")),
                    Throws.TypeOf<FileNotFoundException>().With.Message.Contains("line 3").And.Message.Contains("'gone.jpg'")
                        .And.Message.Contains("2 such lines"));
    }

    [Test]
    public void Missing_list_is_named_in_the_error()
    {
        Assert.That(() => new FileListSource("/no/list.txt"),
                    Throws.TypeOf<FileNotFoundException>().With.Message.Contains("/no/list.txt"));
    }
}
