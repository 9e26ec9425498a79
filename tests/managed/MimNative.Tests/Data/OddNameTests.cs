using System.Text;
using MimNative.Data;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Data;

/// <summary>Names that are no UTF-8 text, as archives from before it left them.</summary>
[TestFixture]
[Platform("Linux")]
public sealed class OddNameTests
{
    [Test]
    public void Every_byte_sequence_is_a_path_of_its_own()
    {
        byte[][] names =
        [
            "plain.jpg"u8.ToArray(), "caf\xe9.jpg"u8.ToArray(), [0xe9], [0xe9, 0xe9], [0xed, 0xb3, 0xa9], [0xff, .. "😀"u8, 0xc3],
            [0xf0, 0x9f, 0x98], [0xef, 0xbf, 0xbd],
        ];
        string[] paths = [.. names.Select(name => PathBytes.FromBytes(name))];
        Assert.That(paths, Is.Unique);
        Assert.That(paths.Select(PathBytes.ToBytes), Is.EqualTo(names));
        Assert.That(paths.Select(PathBytes.IsText), Is.EqualTo(new[] { true, true, false, false, false, false, false, true }));
    }

    [Test]
    public void Odd_bytes_are_shown_and_understood_as_numbers()
    {
        foreach (var (path, shown) in new[]
        {
            ("caf\uDCE9.jpg", "caf\\xE9.jpg"), ("two\nlines\t.jpg", "two\\x0Alines\\x09.jpg"), ("😀é.jpg", "😀é.jpg"), (@"a\xE9\b.jpg", @"a\x5CxE9\b.jpg"),
        })
        {
            Assert.That(PathBytes.Shown(path), Is.EqualTo(shown));
            Assert.That(PathBytes.FromShown(shown), Is.EqualTo(path));
        }
    }

    [Test]
    public void Files_folders_and_links_are_used_and_cost_their_neighbours_nothing()
    {
        using var folder = new OddNames();
        using var elsewhere = new OddNames();
        folder.Write("a.jpg", "a");
        folder.Write($"caf{OddNames.E}.jpg", "one");
        folder.Write($"caf{OddNames.E}{OddNames.E}.jpg", "two");
        folder.MakeFolder($"{OddNames.E}t{OddNames.E}");
        folder.Write($"{OddNames.E}t{OddNames.E}/b.jpg", "b");
        folder.Link("to it", $"{OddNames.E}t{OddNames.E}");
        elsewhere.MakeFolder($"{OddNames.E}");
        elsewhere.Write($"{OddNames.E}/c.jpg", "c");
        folder.Link("out", elsewhere.At($"{OddNames.E}"));
        folder.Link($"d{OddNames.E}.jpg", elsewhere.At($"{OddNames.E}/c.jpg"));

        using var source = ImageSources.Open(folder.Path);
        string[] names = ["a.jpg", "caf\\xE9.jpg", "caf\\xE9\\xE9.jpg", "out/c.jpg", "\\xE9t\\xE9/b.jpg"];
        Assert.That(FolderSourceTests.Names(source), Is.EquivalentTo(names));
        Assert.That(source.Warnings, Is.Empty);
        var buffer = new ByteBuffer();
        var texts = Enumerable.Range(0, source.Count).ToDictionary(source.Name, i => Encoding.UTF8.GetString(source.ReadBytes(i, buffer)));
        Assert.That(names.Select(name => texts[name]), Is.EqualTo(new[] { "a", "one", "two", "c", "b" }));
    }

    [Test]
    public void Data_folder_is_found_though_the_command_line_lost_its_name()
    {
        using var folder = new OddNames();
        folder.MakeFolder($"caf{OddNames.E}");
        folder.Write($"caf{OddNames.E}/a.jpg", "a");
        // as .NET hands it over, as messages show it, as a pattern
        foreach (string given in (string[])["caf\uFFFD", "caf\\xE9", "caf?", "caf\uFFFD/*.jpg", "c*/a.jpg"])
        {
            using var source = ImageSources.Open(folder.At(given));
            Assert.That(source.Count, Is.EqualTo(1), given);
        }
        Assert.That(() => ImageSources.Open(folder.At("tea\uFFFD")), Throws.TypeOf<FileNotFoundException>());
    }

    [Test]
    public void Data_folders_that_the_command_line_cannot_tell_apart_are_named()
    {
        using var folder = new OddNames();
        folder.MakeFolder("caf\uDCE9");
        folder.MakeFolder("caf\uDCE8");
        Assert.That(() => ImageSources.Open(folder.At("caf\uFFFD")),
                    Throws.TypeOf<InvalidDataException>().With.Message.Contains("'caf\\xE8' or 'caf\\xE9'"));
    }

    [Test]
    public void List_may_hold_the_bytes_or_what_messages_show()
    {
        using var folder = new OddNames();
        folder.Write("caf\uDCE9.jpg", "one");
        folder.Write("th\uDCE9.jpg", "two");
        File.WriteAllBytes(folder.At("list.txt"), [.. "caf"u8, 0xe9, .. ".jpg\nth\\xE9.jpg\n"u8]);
        using var source = ImageSources.Open(folder.At("list.txt"));
        Assert.That(FolderSourceTests.Names(source), Is.EqualTo(["caf\\xE9.jpg", "th\\xE9.jpg"]));
        Assert.That(Encoding.UTF8.GetString(source.ReadBytes(1, new ByteBuffer())), Is.EqualTo("two"));
    }

    [Test]
    public void List_and_shards_may_lie_under_such_names()
    {
        using var folder = new OddNames();
        folder.MakeFolder("\uDCE9");
        folder.Write("\uDCE9/a.jpg", "a");
        folder.Write("\uDCE9/l\uDCE9.txt", "a.jpg");
        using (var source = ImageSources.Open(folder.At("\uFFFD/l\uFFFD.txt")))
        {
            Assert.That(FolderSourceTests.Names(source), Is.EqualTo(["a.jpg"]));
        }
        ImageSourcesTests.WriteTar(folder.At("0.tar"), "0.jpg");
        folder.Write("s\uDCE9.tar", File.ReadAllText(folder.At("0.tar")));
        using var shards = ImageSources.Open(folder.At("*.tar"));
        Assert.That(FolderSourceTests.Names(shards), Is.EqualTo(["0.tar:0.jpg", "s\\xE9.tar:0.jpg"]));
    }

    [Test]
    public void File_that_is_not_there_is_named() =>
        Assert.That(() => Disk.Open("/no/caf\uDCE9.jpg", FileOptions.None),
                    Throws.TypeOf<FileNotFoundException>().With.Message.Contains("'/no/caf\\xE9.jpg'"));
}
