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
    public void Line_that_begins_with_a_hash_is_a_picture_where_there_is_one()
    {
        using var folder = new TemporaryFolder();
        FolderSourceTests.Write(folder, "#3.png", "# 4.png");
        Check(folder, "#1.png\n#3.png\n  # 4.png\n# and more\n", "#3.png", "# 4.png");
    }

    [Test]
    public void Byte_order_mark_and_line_ends_of_windows_belong_to_no_name()
    {
        using var folder = new TemporaryFolder();
        FolderSourceTests.Write(folder, "a.jpg", "b.jpg");
        Check(folder, "\uFEFFa.jpg\r\nb.jpg\r\n", "a.jpg", "b.jpg");
    }

    [Test]
    public void Blanks_and_quotes_belong_to_a_name_where_a_picture_is_called_so()
    {
        using var folder = new TemporaryFolder();
        FolderSourceTests.Write(folder, "a.jpg ", " b.jpg", "c.jpg", "'d.jpg'", "d.jpg", "e.jpg", "f g.jpg");
        Check(folder, "a.jpg \n b.jpg\n\tc.jpg \r\n'd.jpg'\n \"e.jpg\"\n'f g.jpg'",
              "a.jpg ", " b.jpg", "c.jpg", "'d.jpg'", "e.jpg", "f g.jpg");
    }

    [Test]
    public void Tilde_is_the_home_folder_unless_a_folder_is_called_so()
    {
        using var folder = new TemporaryFolder();
        FolderSourceTests.Write(folder, "~/a.jpg");
        Check(folder, "~/a.jpg", "~/a.jpg");
        string name = $"mim-test-{Guid.NewGuid():N}.jpg";
        string picture = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), name);
        File.WriteAllText(picture, "at home");
        try
        {
            File.WriteAllText(folder.File("list.txt"), "~/" + name);
            using var source = new FileListSource(folder.File("list.txt"));
            Assert.That(System.Text.Encoding.UTF8.GetString(source.ReadBytes(0, new ByteBuffer())), Is.EqualTo("at home"));
        }
        finally
        {
            File.Delete(picture);
        }
    }

    [TestCase("a.jpg\t3", "'a.jpg\\x093' does not exist, but 'a.jpg' does; a list has one path a line and no labels")]
    [TestCase("a b.jpg 3", "but 'a b.jpg' does")]
    [TestCase("\"a.jpg\",cat", "but 'a.jpg' does")]
    [TestCase("in", "'in' is a folder")]
    [TestCase("0.tar", "'0.tar' is a tar archive")]
    [TestCase("gone.jpg", "line 1: the picture 'gone.jpg' does not exist.")]
    [TestCase("#\nhttps://a.b/c.jpg", "line 2: the picture 'https://a.b/c.jpg' does not exist.")]
    public void Line_that_is_no_picture_is_explained(string line, string said)
    {
        using var folder = new TemporaryFolder();
        FolderSourceTests.Write(folder, "a.jpg", "a b.jpg", "in/c.jpg", "0.tar");
        File.WriteAllText(folder.File("list.txt"), line + "\n");
        Assert.That(() => new FileListSource(folder.File("list.txt")), Throws.TypeOf<FileNotFoundException>().With.Message.Contains(said));
    }

    [Test]
    public void Text_in_utf_16_is_refused([Values("utf-16", "utf-16BE")] string encoding, [Values] bool mark)
    {
        using var folder = new TemporaryFolder();
        FolderSourceTests.Write(folder, "a.jpg");
        var utf16 = System.Text.Encoding.GetEncoding(encoding);
        File.WriteAllBytes(folder.File("list.txt"), [.. mark ? utf16.GetPreamble() : [], .. utf16.GetBytes("a.jpg\n")]);
        Assert.That(() => new FileListSource(folder.File("list.txt")),
                    Throws.TypeOf<InvalidDataException>().With.Message.Contains("no UTF-8 text").And.Message.Contains(folder.File("list.txt")));
    }

    [Test]
    public void Empty_list_holds_no_pictures([Values("", "\n\r\n", "\uFEFF", "# a.jpg\n")] string text)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("list.txt"), text);
        Assert.That(() => ImageSources.Open(folder.File("list.txt")),
                    Throws.TypeOf<InvalidDataException>().With.Message.Contains("holds no pictures"));
    }

    [Test]
    public void Missing_list_is_named_in_the_error()
    {
        Assert.That(() => new FileListSource("/no/list.txt"),
                    Throws.TypeOf<FileNotFoundException>().With.Message.Contains("/no/list.txt"));
    }

    private static void Check(TemporaryFolder folder, string text, params string[] names)
    {
        File.WriteAllText(folder.File("list.txt"), text);
        using var source = new FileListSource(folder.File("list.txt"));
        Assert.That(FolderSourceTests.Names(source), Is.EqualTo(names));
        Assert.That(System.Text.Encoding.UTF8.GetString(source.ReadBytes(0, new ByteBuffer())), Is.EqualTo(names[0]));
    }
}
