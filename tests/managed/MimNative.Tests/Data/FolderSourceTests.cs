using MimNative.Data;
using MimNative.Runtime;
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
    public void Folders_that_link_to_each_other_are_walked_once()
    {
        using var folder = new TemporaryFolder();
        string[] names = [.. Enumerable.Range(0, 8).Select(i => $"{(char)('a' + i)}")];
        Write(folder, [.. names.Select(name => name + "/1.jpg")]);
        foreach (string from in names)
        {
            names.Where(to => to != from).ToList().ForEach(to => Directory.CreateSymbolicLink(folder.File($"{from}/to_{to}"), $"../{to}"));
        }
        using var source = new FolderSource(folder.Path);
        Assert.That(Names(source), Is.EqualTo(names.Select(name => name + "/1.jpg")));
    }

    [Test]
    public void Name_of_a_file_is_its_real_one_then_that_through_the_fewest_links_whatever_order_the_system_lists()
    {
        using var folder = new TemporaryFolder();
        using var elsewhere = new TemporaryFolder();
        Write(folder, "z/1.jpg", "links/README");
        Write(elsewhere, "x/2.jpg", "y/3.jpg");
        Directory.CreateSymbolicLink(folder.File("a"), folder.File("z"));             // z/1.jpg is there itself
        Directory.CreateSymbolicLink(folder.File("links/c"), elsewhere.File("x"));    // one link; links/b would do too
        Directory.CreateSymbolicLink(folder.File("links/b"), elsewhere.File("x"));
        Directory.CreateSymbolicLink(elsewhere.File("x/y"), elsewhere.File("y"));     // two links, and one by "y"
        Directory.CreateSymbolicLink(folder.File("y"), elsewhere.File("y"));
        for (int seed = 0; seed < 8; ++seed)
        {
            var random = new Random(seed);
            using var source = new FolderSource(folder.Path, path => [.. Disk.List(path).OrderBy(_ => random.Next())]);
            Assert.That(Names(source), Is.EqualTo(["links/b/2.jpg", "y/3.jpg", "z/1.jpg"]));
        }
    }

    [Test]
    public void Link_to_a_file_counts_where_nothing_else_leads_there()
    {
        using var folder = new TemporaryFolder();
        using var elsewhere = new TemporaryFolder();
        Write(folder, "1.jpg", "blob");
        Write(elsewhere, "2.jpg", "sha256-3", "in/4.jpg");
        File.CreateSymbolicLink(folder.File("0.jpg"), "1.jpg");
        File.CreateSymbolicLink(folder.File("2.jpg"), elsewhere.File("2.jpg"));
        File.CreateSymbolicLink(folder.File("again.jpg"), elsewhere.File("2.jpg"));
        File.CreateSymbolicLink(folder.File("3.jpg"), elsewhere.File("sha256-3"));
        File.CreateSymbolicLink(folder.File("3"), elsewhere.File("sha256-3"));
        File.CreateSymbolicLink(folder.File("4.jpg"), elsewhere.File("in/4.jpg"));
        Directory.CreateSymbolicLink(folder.File("out"), elsewhere.File("in"));
        File.CreateSymbolicLink(folder.File("5.jpg"), "blob");
        using var source = new FolderSource(folder.Path);
        Assert.That(Names(source), Is.EqualTo(["1.jpg", "2.jpg", "3.jpg", "5.jpg", "out/4.jpg"]));
        Assert.That(source.Warnings, Is.Empty);
    }

    [Test]
    public void Links_to_nothing_are_told()
    {
        using var folder = new TemporaryFolder();
        Write(folder, "1.jpg");
        File.CreateSymbolicLink(folder.File("b.jpg"), "gone.jpg");
        File.CreateSymbolicLink(folder.File("a"), "a");
        using var source = new FolderSource(folder.Path);
        Assert.That(Names(source), Is.EqualTo(["1.jpg"]));
        Assert.That(source.Warnings, Is.EqualTo(["2 links lead nowhere and were passed over; the first is 'a'."]));
    }

    [Test]
    public void Hidden_names_are_left_out_and_counted()
    {
        using var folder = new TemporaryFolder();
        string[] hidden =
        [
            ".thumbnails", "@eaDir", ".AppleDouble", ".Trash-1000", "#recycle", "@Recycle", "@tmp", "$RECYCLE.BIN", "lost+found",
            "System Volume Information", "__MACOSX", "a/b/@EADIR",
        ];
        Write(folder, [.. hidden.Select(name => name + "/deep/x.jpg"), ".x.jpg", "a/._1.jpg", ".git/config", "a/1.jpg", "@me/2.jpg", "#3/3.jpg"]);
        using var source = new FolderSource(folder.Path);
        Assert.That(Names(source), Is.EqualTo(["#3/3.jpg", "@me/2.jpg", "a/1.jpg"]));
        Assert.That(source.Warnings, Has.Count.EqualTo(1));
        Assert.That(source.Warnings[0], Does.StartWith("13 pictures lie under hidden names").And.Contain("'#recycle'"));
    }

    [Test]
    public void Root_may_be_hidden_and_a_link_shows_what_is_hidden()
    {
        using var folder = new TemporaryFolder();
        Write(folder, ".cache/pics/1.jpg", ".cache/.more/2.jpg", ".cache/3.jpg");
        Directory.CreateSymbolicLink(folder.File(".cache/shown"), ".more");
        using var source = new FolderSource(folder.File(".cache"));
        Assert.That(Names(source), Is.EqualTo(["3.jpg", "pics/1.jpg", "shown/2.jpg"]));
        Assert.That(source.Warnings, Is.Empty);
    }

    [Test]
    public void Pictures_of_other_formats_are_told_by_number()
    {
        using var folder = new TemporaryFolder();
        Write(folder, "a.gif", "b.HEIC", "c/d.gif", "e.tif", "f.tar.gz", "g.txt", "h.jpg");
        using var source = new FolderSource(folder.Path);
        Assert.That(Names(source), Is.EqualTo(["h.jpg"]));
        Assert.That(source.Warnings, Is.EqualTo(
            ["5 files of formats that are not read were passed over (2 .gif, 1 .heic, 1 .tar.gz, 1 .tif); the first is 'a.gif'."]));
    }

    [Test]
    public void All_endings_of_jpeg_are_known()
    {
        string[] names = ["a.JFIF", "b.jpe", "c.jif", "d.jfi", "e.pjpeg", "f.pjp", "g.jpeg", "h.JPG", "i.png", "j.WebP"];
        using var folder = new TemporaryFolder();
        Write(folder, names);
        using var source = new FolderSource(folder.Path);
        Assert.That(Names(source), Is.EqualTo(names));
    }

    [Test]
    public void Folder_that_cannot_be_read_is_left_out_with_a_warning()
    {
        using var folder = new TemporaryFolder();
        using var source = new FolderSource(folder.Path, path => path switch
        {
            _ when path.EndsWith("locked", StringComparison.Ordinal) => throw new UnauthorizedAccessException("no entry"),
            _ when path.EndsWith("open", StringComparison.Ordinal) => [new("1.jpg", EntryKind.File)],
            _ => [new("locked", EntryKind.Folder), new("open", EntryKind.Folder)],
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
    internal static void Write(TemporaryFolder folder, params string[] names) => Write(folder.Path, names);

    /// <inheritdoc cref="Write(TemporaryFolder, string[])"/>
    internal static void Write(string folder, params string[] names)
    {
        foreach (string name in names)
        {
            string path = Path.Combine(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, name);
        }
    }
}
