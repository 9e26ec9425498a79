using System.Formats.Tar;
using MimNative.Data;
using NUnit.Framework;

namespace MimNative.Tests.Data;

[TestFixture]
public sealed class ImageSourcesTests
{
    [Test]
    public void Path_decides_the_kind_of_source()
    {
        using var folder = new TemporaryFolder();
        FolderSourceTests.Write(folder, "pictures/a.jpg", "shards/README");
        WriteTar(folder.File("shards/train-1.tar"), "1.jpg");
        WriteTar(folder.File("shards/train-0.tar"), "0.jpg");
        WriteTar(folder.File("shards/val-0.tar"), "2.jpg");
        File.WriteAllLines(folder.File("list.txt"), ["pictures/a.jpg"]);

        Check<FolderSource>(folder.File("pictures"), "a.jpg");
        Check<TarSource>(folder.File("shards"), "train-0.tar:0.jpg", "train-1.tar:1.jpg", "val-0.tar:2.jpg");
        Check<TarSource>(folder.File("shards/train-1.tar"), "1.jpg");
        Check<TarSource>(folder.File("shards/train-?.tar"), "train-0.tar:0.jpg", "train-1.tar:1.jpg");
        Check<FileListSource>(folder.File("list.txt"), "pictures/a.jpg");
    }

    [Test]
    public void What_holds_no_pictures_is_an_error_that_names_it()
    {
        using var folder = new TemporaryFolder();
        FolderSourceTests.Write(folder, "empty/notes.md", "both/a.jpg", "both/c/README", "strange.zip");
        WriteTar(folder.File("both/c/b.tar"), "b.jpg");
        WriteTar(folder.File("no pictures.tar"), "b.cls");
        File.WriteAllLines(folder.File("nothing.txt"), ["# nothing"]);

        foreach (var (path, said) in ((string, string)[])
                 [
                     ("empty", "no pictures"), ("both", "both pictures"), ("strange.zip", ".zip"), ("gone", "does not exist"),
                     ("no pictures.tar", "holds no pictures"), ("nothing.txt", "holds no pictures"),
                     ("empty/*.tar", "No file matches"), ("gone/*.tar", "does not exist"),
                 ])
        {
            Assert.That(() => ImageSources.Open(folder.File(path)),
                        Throws.Exception.With.Message.Contains(said).And.Message.Contains(folder.File(path)));
        }
    }

    [Test]
    public void Shards_in_subfolders_are_found_and_told_apart()
    {
        using var folder = new TemporaryFolder();
        FolderSourceTests.Write(folder, "a/README", "b/c/README", "@eaDir/README");
        WriteTar(folder.File("a/0.tar"), "x.jpg");
        WriteTar(folder.File("b/c/0.tar"), "x.jpg");
        WriteTar(folder.File("@eaDir/0.tar"), "x.jpg");
        Check<TarSource>(folder.Path, "a/0.tar:x.jpg", "b/c/0.tar:x.jpg");
        Check<TarSource>(folder.File("b"), "x.jpg");
        using var source = ImageSources.Open(folder.Path);
        Assert.That(source.Warnings, Has.One.Contains("1 .tar shard lies under hidden names").And.Contains("'@eaDir'"));
    }

    [Test]
    public void Folder_of_nothing_but_hidden_pictures_and_other_formats_says_so()
    {
        using var folder = new TemporaryFolder();
        FolderSourceTests.Write(folder, ".thumbnails/a.jpg", "b.heic", "c.tar.gz");
        Assert.That(() => ImageSources.Open(folder.Path),
                    Throws.TypeOf<InvalidDataException>().With.Message.Contains("1 picture lies").And.Message.Contains("1 .heic, 1 .tar.gz"));
    }

    [TestCase("cat/1.jpg", "cat")]
    [TestCase("./cat/black/1.jpg", "cat")]
    [TestCase("1.jpg", null)]
    [TestCase("../1.jpg", null)]
    [TestCase("/cat/1.jpg", null)]
    public void Label_is_the_first_folder(string path, string? label)
    {
        Assert.That(ImageNames.Label(path), Is.EqualTo(label));
    }

    private static void Check<TSource>(string path, params string[] names)
    {
        using var source = ImageSources.Open(path);
        Assert.That(source, Is.TypeOf<TSource>());
        Assert.That(FolderSourceTests.Names(source), Is.EqualTo(names));
    }

    internal static void WriteTar(string path, string name)
    {
        using var writer = new TarWriter(File.Create(path));
        writer.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name));
    }
}
