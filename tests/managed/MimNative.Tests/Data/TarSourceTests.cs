using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using MimNative.Data;
using NUnit.Framework;

namespace MimNative.Tests.Data;

[TestFixture]
public sealed class TarSourceTests
{
    private static readonly string[] AllNames =
    [
        "cat/0001.jpg", "cat/0001.cls", "dog/" + new string('n', 90) + ".PNG",
        new string('f', 60) + "/" + new string('g', 80) + ".webp", "ünïcode/bild.jpeg", "empty.jpg",
    ];

    private static readonly string[] PictureNames =
        [.. AllNames.Where(name => !name.EndsWith(".cls", StringComparison.Ordinal))];

    [Test]
    public void Entries_are_read_in_place_in_every_format(
        [Values(TarEntryFormat.Ustar, TarEntryFormat.Gnu, TarEntryFormat.Pax)] TarEntryFormat format)
    {
        using var folder = new TemporaryFolder();
        string archive = folder.File("a.tar");
        WriteTar(archive, format, AllNames);
        using var source = new TarSource(archive);
        Assert.That(FolderSourceTests.Names(source), Is.EqualTo(PictureNames));
        Assert.That(source.Label(0), Is.EqualTo("cat"));
        var buffer = new ByteBuffer();
        for (int i = 0; i < source.Count; ++i)
        {
            Assert.That(Encoding.UTF8.GetString(source.ReadBytes(i, buffer)), Is.EqualTo(Content(source.Name(i))));
        }
    }

    [Test]
    public void Gnu_names_longer_than_a_block_are_whole()
    {
        using var folder = new TemporaryFolder();
        string name = string.Join('/', Enumerable.Repeat(new string('d', 70), 12)) + "/x.jpg";
        foreach (var format in (TarEntryFormat[])[TarEntryFormat.Gnu, TarEntryFormat.Pax])
        {
            WriteTar(folder.File("long.tar"), format, [name, "short.jpg"]);
            using var source = new TarSource(folder.File("long.tar"));
            Assert.That(FolderSourceTests.Names(source), Is.EqualTo([name, "short.jpg"]), format.ToString());
        }
    }

    [Test]
    public void Shards_follow_each_other_and_name_themselves()
    {
        using var folder = new TemporaryFolder();
        WriteTar(folder.File("0.tar"), TarEntryFormat.Ustar, ["a.jpg", "b.jpg"]);
        WriteTar(folder.File("1.tar"), TarEntryFormat.Ustar, ["notes.txt"]);
        WriteTar(folder.File("2.tar"), TarEntryFormat.Ustar, ["x/c.jpg"]);
        using var source = new TarSource(folder.File("0.tar"), folder.File("1.tar"), folder.File("2.tar"));
        Assert.That(FolderSourceTests.Names(source), Is.EqualTo(["0.tar:a.jpg", "0.tar:b.jpg", "2.tar:x/c.jpg"]));
        Assert.That(source.Label(2), Is.EqualTo("x"));
        Assert.That(Encoding.UTF8.GetString(source.ReadBytes(2, new ByteBuffer())), Is.EqualTo(Content("x/c.jpg")));
        Assert.That(() => source.Name(3), Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void Archives_are_closed_when_the_source_ends()
    {
        using var folder = new TemporaryFolder();
        WriteTar(folder.File("0.tar"), TarEntryFormat.Ustar, ["a.jpg"]);
        WriteTar(folder.File("1.tar"), TarEntryFormat.Ustar, ["b.jpg"]);
        var source = new TarSource(folder.File("0.tar"), folder.File("1.tar"));
        source.Dispose();
        for (int i = 0; i < 2; ++i)
        {
            Assert.That(() => source.ReadBytes(i, new ByteBuffer()), Throws.TypeOf<ObjectDisposedException>());
        }
    }

    [Test]
    public void Folders_are_passed_over_and_links_are_followed()
    {
        using var folder = new TemporaryFolder();
        using (var writer = new TarWriter(File.Create(folder.File("a.tar"))))
        {
            writer.WriteEntry(new PaxTarEntry(TarEntryType.Directory, "folder.jpg"));
            writer.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "link.jpg") { LinkName = "a.jpg" });
            writer.WriteEntry(new PaxGlobalExtendedAttributesTarEntry(
                new Dictionary<string, string> { ["path"] = "wrong.jpg" }));  // every entry has its own
            writer.WriteEntry(Entry(TarEntryFormat.Pax, "a.jpg"));
            writer.WriteEntry(new PaxTarEntry(TarEntryType.HardLink, "hard.jpg") { LinkName = "a.jpg" });
        }
        using var source = new TarSource(folder.File("a.tar"));
        Assert.That(TarBytes.Read(source), Is.EqualTo(
            ["link.jpg=content of a.jpg", "a.jpg=content of a.jpg", "hard.jpg=content of a.jpg"]));
    }

    [Test]
    public void Archive_without_its_final_blocks_is_whole()
    {
        using var folder = new TemporaryFolder();
        string archive = folder.File("a.tar");
        WriteTar(archive, TarEntryFormat.Ustar, ["a.jpg", "b.jpg"]);
        Truncate(archive, 2 * 1024);  // a header and a block each
        using var source = new TarSource(archive);
        Assert.That(source.Count, Is.EqualTo(2));
    }

    [TestCase(1536 + 5, "'b.jpg'")]  // inside the second picture
    [TestCase(1024 + 100, "header")]  // inside its header
    public void Archive_that_ends_early_says_where(int length, string named)
    {
        using var folder = new TemporaryFolder();
        string archive = folder.File("a.tar");
        WriteTar(archive, TarEntryFormat.Ustar, ["a.jpg", "b.jpg"]);
        Truncate(archive, length);
        Assert.That(() => new TarSource(archive), Throws.TypeOf<InvalidDataException>().With.Message.Contains("ends early")
            .And.Message.Contains(archive).And.Message.Contains(named));
    }

    [Test]
    public void Damaged_header_is_refused()
    {
        using var folder = new TemporaryFolder();
        string archive = folder.File("a.tar");
        WriteTar(archive, TarEntryFormat.Ustar, ["a.jpg", "b.jpg"]);
        byte[] bytes = File.ReadAllBytes(archive);
        bytes[1024 + 3] ^= 1;
        File.WriteAllBytes(archive, bytes);
        Assert.That(() => new TarSource(archive),
                    Throws.TypeOf<InvalidDataException>().With.Message.Contains("no header at byte 1024"));
    }

    [Test]
    public void Compressed_archive_is_refused_by_its_content()
    {
        using var folder = new TemporaryFolder();
        string archive = folder.File("a.tar");
        using (var zip = new GZipStream(File.Create(archive), CompressionLevel.Fastest))
        {
            zip.Write(new byte[2048]);
        }
        Assert.That(() => new TarSource(archive), Throws.TypeOf<InvalidDataException>().With.Message.Contains("gzip"));
    }

    [Test]
    public void Size_beyond_eight_gigabytes_is_read_as_a_binary_number()
    {
        using var folder = new TemporaryFolder();
        string archive = folder.File("a.tar");
        WriteTar(archive, TarEntryFormat.Gnu, ["big.jpg"]);
        byte[] bytes = File.ReadAllBytes(archive);
        bytes.AsSpan(124, 12).Clear();
        (bytes[124], bytes[131]) = (0x80, 4);  // 4 * 2^32
        TarBytes.SetChecksum(bytes);
        File.WriteAllBytes(archive, bytes);
        Assert.That(() => new TarSource(archive), Throws.TypeOf<InvalidDataException>().With.Message.Contains("17179869696"));
    }

    [Test]
    public void Index_of_many_entries_is_quick()
    {
        using var folder = new TemporaryFolder();
        string archive = folder.File("many.tar");
        var block = new byte[1024];
        using (var stream = new BufferedStream(File.Create(archive)))
        {
            for (int i = 0; i < 50_000; ++i)
            {
                Array.Clear(block);
                Encoding.ASCII.GetBytes($"{i:D6}.jpg").CopyTo(block, 0);
                Encoding.ASCII.GetBytes("00000000007\0").CopyTo(block, 124);
                TarBytes.SetChecksum(block);
                stream.Write(block);
            }
        }
        var watch = Stopwatch.StartNew();
        using var source = new TarSource(archive);
        Assert.That(source.Count, Is.EqualTo(50_000));
        // far above what it takes (about 0.1 s), far below what unpacking would
        Assert.That(watch.Elapsed, Is.LessThan(TimeSpan.FromSeconds(5)));
    }

    private static void WriteTar(string path, TarEntryFormat format, string[] names)
    {
        using var writer = new TarWriter(File.Create(path), format);
        foreach (string name in names)
        {
            writer.WriteEntry(Entry(format, name));
        }
    }

    private static System.Formats.Tar.TarEntry Entry(TarEntryFormat format, string name)
    {
        System.Formats.Tar.TarEntry entry = format switch
        {
            TarEntryFormat.Ustar => new UstarTarEntry(TarEntryType.RegularFile, name),
            TarEntryFormat.Gnu => new GnuTarEntry(TarEntryType.RegularFile, name),
            _ => new PaxTarEntry(TarEntryType.RegularFile, name),
        };
        entry.DataStream = new MemoryStream(Encoding.UTF8.GetBytes(Content(name)));
        return entry;
    }

    private static string Content(string name) => name == "empty.jpg" ? "" : "content of " + name;

    private static void Truncate(string path, long length)
    {
        using var file = File.OpenWrite(path);
        file.SetLength(length);
    }
}
