using System.Text;
using MimNative.Data;
using NUnit.Framework;

namespace MimNative.Tests.Data;

[TestFixture]
public sealed class TarNameTests
{
    [Test]
    public void Names_that_are_no_utf8_are_shown_byte_by_byte_and_stay_different()
    {
        using var folder = new TemporaryFolder();
        using var source = new TarBytes()
            .Add("caf\u00e9.jpg", "1").Add("caf\u00e8.jpg", "2")  // Latin-1
            .Add("caf\u00c3\u00a9.jpg", "3")  // the same in UTF-8
            .Add(@"caf\xE9.jpg", "4").Add(@"back\slash.jpg", "5")
            .Pax('x', ("hdrcharset", "BINARY"), ("path", "\u00ff\u00fe/f\u00fcnf.jpg")).Add("x", "6")
            .Pax('x', ("path", "\u00e9t\u00c3\u00a9.jpg")).Add("x", "7")
            .Add("././@LongLink", "lang\u00e9.jpg\0", 'L').Add("x", "8").Zeros().Open(folder);
        Assert.That(TarBytes.Read(source), Is.EqualTo(
            [@"caf\xE9.jpg=1", @"caf\xE8.jpg=2", "café.jpg=3", @"caf\x5CxE9.jpg=4", @"back\slash.jpg=5",
             @"\xFF\xFE/f\xFCnf.jpg=6", @"\xE9té.jpg=7", @"lang\xE9.jpg=8"]));
        Assert.That(source.Label(5), Is.EqualTo(@"\xFF\xFE"));
        Assert.That(source.Warnings, Is.Empty);
    }

    [Test]
    public void Links_find_targets_whose_names_are_no_utf8()
    {
        using var folder = new TemporaryFolder();
        using var source = new TarBytes()
            .Add("\u00e9.jpg", "1").Add("\u00e8.jpg", "2").Add("h.jpg", type: '1', link: "\u00e8.jpg")
            .Pax('x', ("linkpath", "\u00e9.jpg")).Add("s.jpg", type: '2')
            .Add("././@LongLink", "\u00e8.jpg\0", 'K').Add("k.jpg", type: '2').Zeros().Open(folder);
        Assert.That(TarBytes.Read(source), Is.EqualTo([@"\xE9.jpg=1", @"\xE8.jpg=2", "h.jpg=2", "s.jpg=1", "k.jpg=2"]));
    }

    [Test]
    public void Global_record_counts_for_all_that_say_nothing_else()
    {
        using var folder = new TemporaryFolder();
        using var source = new TarBytes()
            .Pax('g', ("comment", "a commit"), ("GNU.sparse.map", "0,5"), ("GNU.sparse.size", "5")).Add("a.png", "A")
            .Pax('g', ("size", "3")).Add("b.png", "BBB", edit: NoSize)
            .Pax('x', ("size", "2")).Add("c.png", "CC", edit: NoSize)
            .Pax('x', ("size", "")).Add("d.png", "D").Add("e.png", "EEE", edit: NoSize)
            .Pax('g', ("size", "")).Add("f.png", "FFFF")
            .Pax('g', ("path", "all.png")).Pax('x', ("path", "own.png")).Add("x.png", "own").Add("y.png", "all")
            .Zeros().Open(folder);
        Assert.That(TarBytes.Read(source), Is.EqualTo(
            ["a.png=A", "b.png=BBB", "c.png=CC", "d.png=D", "e.png=EEE", "f.png=FFFF", "own.png=own", "all.png=all"]));

        static void NoSize(byte[] header) => TarBytes.Put(header, 124, TarBytes.Octal(0));
    }

    [Test]
    public void Prefix_counts_where_the_format_has_one()
    {
        using var folder = new TemporaryFolder();
        void Prefix(byte[] header) => TarBytes.Put(header, 345, "pre/fix");
        void Star(byte[] header)
        {
            TarBytes.Put(header, 345, new string('p', 131) + "00000000001 00000000002 ");  // times follow at once
            TarBytes.Put(header, 508, "tar\0");
        }
        using var source = new TarBytes()
            .Add("ustar.png", "1", edit: Prefix).Add("gnu.png", "2", magic: "ustar  \0", edit: Prefix)
            .Add("v7.png", "3", magic: "", edit: Prefix)
            .Add("star.png", "4", magic: "", edit: Star).Add("posix.png", "5", edit: Star).Zeros().Open(folder);
        string folders = new('p', 131);
        Assert.That(TarBytes.Read(source), Is.EqualTo(
            ["pre/fix/ustar.png=1", "gnu.png=2", "v7.png=3", folders + "/star.png=4", folders + "/posix.png=5"]));
    }

    [Test]
    public void Members_of_every_type_are_pictures_if_they_are_files()
    {
        using var folder = new TemporaryFolder();
        var bytes = new TarBytes();
        foreach (char type in "\0" + "0123456789ADEMNVaz ")
        {
            bytes.Add($"{(int)type}.png", type is >= '1' and <= '6' ? "" : "content", type, magic: "", link: "nothing");
        }
        bytes.Add("folder.png/", type: '\0', magic: "").Add("last.png", "content").Zeros();
        using var source = bytes.Open(folder);
        string[] files = ["0.png", "48.png", "55.png", "56.png", "57.png", "97.png", "122.png", "32.png", "last.png"];
        Assert.That(TarBytes.Read(source), Is.EqualTo(files.Select(name => name + "=content")));
    }

    [TestCase("0000000007 \0")]
    [TestCase("          7 ")]
    [TestCase("7\0 garbage ")]
    [TestCase("\u0080\0\0\0\0\0\0\0\0\0\0\u0007")]
    public void Sizes_of_all_writers_are_read(string field)
    {
        using var folder = new TemporaryFolder();
        using var source = new TarBytes()
            .Add("a.png", "content", edit: header => TarBytes.Put(header, 124, field)).Add("b.png", "B").Zeros().Open(folder);
        Assert.That(TarBytes.Read(source), Is.EqualTo(["a.png=content", "b.png=B"]));
    }

    [TestCase("00000000009\0")]
    [TestCase("\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff")]
    [TestCase("\u0080\u0001\0\0\0\0\0\0\0\0\0\0")]
    public void Size_that_is_no_number_is_a_damaged_archive(string field)
    {
        using var folder = new TemporaryFolder();
        var bytes = new TarBytes().Add("a.png", "content", edit: header => TarBytes.Put(header, 124, field)).Zeros();
        Assert.That(() => bytes.Open(folder),
                    Throws.TypeOf<InvalidDataException>().With.Message.Contains("at byte 0 has a size that is no number"));
    }

    [Test]
    public void Rest_of_a_picture_from_another_volume_is_told()
    {
        using var folder = new TemporaryFolder();
        using var gnu = new TarBytes()
            .Add("a.png", "rest", 'M').Add("x.txt", "rest", 'M').Add("b.png", "B").Zeros().Open(folder, "gnu.tar");
        using var pax = new TarBytes()
            .Pax('g', ("GNU.volume.filename", "a.png"), ("GNU.volume.size", "4"), ("GNU.volume.offset", "9"))
            .Pax('x', ("atime", "0")).Add("GNUFileParts/a.png.2", "rest").Add("b.png", "B").Zeros().Open(folder, "pax.tar");
        foreach (var source in (TarSource[])[gnu, pax])
        {
            Assert.That(TarBytes.Read(source), Is.EqualTo(["b.png=B"]));
            Assert.That(source.Warnings, Has.Count.EqualTo(1));
            Assert.That(source.Warnings[0],
                        Does.Contain("1 picture is").And.Contain("another volume").And.Contain("'a.png'"));
        }
    }

    [TestCase("PK\u0003\u0004", "zip")]
    [TestCase("7z\u00bc\u00af\u0027\u001c", "7z")]
    [TestCase("Rar!\u001a", "RAR")]
    [TestCase("\u00ff\u00d8\u00ff\u00e0", "JPEG")]
    [TestCase("version https://git-lfs.github.com/spec/v1\noid", "git lfs pull")]
    [TestCase("<!DOCTYPE html><p>", "web page")]
    [TestCase("\u001f\u008b\u0008", "gzip")]
    [TestCase("(\u00b5/\u00fd", "zstd")]
    [TestCase("BZh9", "bzip2")]
    [TestCase("something else", "736F6D657468696E")]
    public void File_that_is_no_archive_is_named_for_what_it_is(string start, string said)
    {
        using var folder = new TemporaryFolder();
        foreach (int length in (int[])[64, 2048])
        {
            byte[] bytes = Encoding.Latin1.GetBytes(start.PadRight(length, 'x'));
            if (length < 512 && start == "something else")
            {
                continue;  // it might be the beginning of a header
            }
            Assert.That(() => new TarBytes().Raw(bytes).Open(folder),
                        Throws.TypeOf<InvalidDataException>().With.Message.Contains(said).And.Message.Contains("a.tar"));
        }
    }

    [Test]
    public void First_name_that_reads_like_a_compression_is_a_name()
    {
        using var folder = new TemporaryFolder();
        using var source = new TarBytes().Add("BZh1.png", "A").Zeros().Open(folder);
        Assert.That(TarBytes.Read(source), Is.EqualTo(["BZh1.png=A"]));
    }
}
