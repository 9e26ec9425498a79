using System.Formats.Tar;
using MimNative.Data;
using NUnit.Framework;

namespace MimNative.Tests.Data;

[TestFixture]
public sealed class TarLinkTests
{
    [Test]
    public void Links_made_by_gnu_tar_are_pictures_like_their_targets()
    {
        using var source = new TarSource(Path.Combine(Golden.Repository, "tests", "cases", "linked.tar"));
        Assert.That(FolderSourceTests.Names(source), Is.EqualTo(["./a.png", "./b.png", "./c.png", "./d.png"]));
        var bytes = Enumerable.Range(0, 4).Select(i => source.ReadBytes(i, new ByteBuffer()).ToArray()).ToArray();
        Assert.That(bytes[0], Has.Length.EqualTo(5876));
        Assert.That(bytes[1], Is.EqualTo(bytes[0]));
        Assert.That(bytes[3], Is.EqualTo(bytes[2]));
        Assert.That(source.Warnings, Is.Empty);
    }

    [TestCase("x/b.png", "a.png", "x/a.png", Description = "from the link's folder")]
    [TestCase("x/y/b.png", ".././a.png", "x/a.png")]
    [TestCase("./x/b.png", "../a.png", "a.png")]
    [TestCase("x/b.png", "..//z/../a.png", "./a.png")]
    [TestCase("b.png", "/data/a.png", "data/a.png", Description = "absolute: from the archive's root")]
    [TestCase("b.png", "objects/17", "objects/17", Description = "a target that does not look like a picture")]
    [TestCase("../up/b.png", "a.png", "../up/a.png")]
    public void Symbolic_link_leads_on_from_its_folder(string link, string target, string file)
    {
        using var folder = new TemporaryFolder();
        foreach (bool first in (bool[])[true, false])
        {
            var bytes = new TarBytes();
            _ = first ? bytes.Add(link, type: '2', link: target) : bytes;
            bytes.Add(file, "A");
            _ = first ? bytes : bytes.Add(link, type: '2', link: target);
            using var source = bytes.Zeros().Open(folder);
            Assert.That(TarBytes.Read(source), Does.Contain(link + "=A"));
            Assert.That(source.Warnings, Is.Empty);
        }
    }

    [Test]
    public void Hard_link_leads_to_a_name_of_the_archive()
    {
        using var folder = new TemporaryFolder();
        using var source = new TarBytes()
            .Add("a.png", "A").Add("x/a.png", "wrong").Add("x/b.png", type: '1', link: "./a.png").Zeros().Open(folder);
        Assert.That(TarBytes.Read(source), Is.EqualTo(["a.png=A", "x/a.png=wrong", "x/b.png=A"]));
    }

    [Test]
    public void Chains_of_links_are_followed_through_links_of_any_name_and_through_folders()
    {
        using var folder = new TemporaryFolder();
        using var source = new TarBytes()
            .Add("1.png", type: '2', link: "latest/2.png")
            .Add("latest", type: '2', link: "v2")
            .Add("v2/2.png", type: '2', link: "../v1/current")
            .Add("v1/current", type: '1', link: "v1/deep/3.png")
            .Add("v1/deep/3.png", type: '2', link: "../../v2/../a.png")
            .Add("a.png", "A").Zeros().Open(folder);
        Assert.That(TarBytes.Read(source), Is.EqualTo(["1.png=A", "v2/2.png=A", "v1/deep/3.png=A", "a.png=A"]));
        Assert.That(source.Warnings, Is.Empty);
    }

    [Test]
    public void Long_names_of_targets_are_whole(
        [Values] bool hard, [Values(TarEntryFormat.Gnu, TarEntryFormat.Pax)] TarEntryFormat format)
    {
        using var folder = new TemporaryFolder();
        string target = new string('d', 120) + "/" + new string('n', 120) + "ü.png";
        var type = hard ? TarEntryType.HardLink : TarEntryType.SymbolicLink;
        using (var writer = new TarWriter(File.Create(folder.File("a.tar")), format))
        {
            var link = New(type, "b.png");
            link.LinkName = target;
            writer.WriteEntry(link);
            var file = New(TarEntryType.RegularFile, target);
            file.DataStream = new MemoryStream([1, 2, 3]);
            writer.WriteEntry(file);
        }
        using var source = new TarSource(folder.File("a.tar"));
        Assert.That(FolderSourceTests.Names(source), Is.EqualTo(["b.png", target]));
        Assert.That(source.ReadBytes(0, new ByteBuffer()).ToArray(), Is.EqualTo(new byte[] { 1, 2, 3 }));

        System.Formats.Tar.TarEntry New(TarEntryType kind, string name) =>
            format == TarEntryFormat.Gnu ? new GnuTarEntry(kind, name) : new PaxTarEntry(kind, name);
    }

    [TestCase('1', "gone.png")]
    [TestCase('2', "gone.png")]
    [TestCase('2', "../a.png", Description = "outside")]
    [TestCase('2', "/etc/a.png")]
    [TestCase('2', "folder", Description = "a folder")]
    [TestCase('2', "b.png", Description = "itself")]
    [TestCase('1', "b.png")]
    [TestCase('2', "c", Description = "a circle")]
    [TestCase('2', "device.png")]
    [TestCase('2', "")]
    public void Link_that_leads_to_no_file_is_counted_and_told(char type, string target)
    {
        using var folder = new TemporaryFolder();
        using var source = new TarBytes()
            .Add("folder/", type: '5').Add("device.png", type: '3').Add("c", type: '2', link: "b.png")
            .Add("b.png", type: type, link: target)
            .Add("also.png", type: '2', link: "nothing").Add("no picture", type: '2', link: "nothing")
            .Add("a.png", "A").Zeros().Open(folder);
        Assert.That(TarBytes.Read(source), Is.EqualTo(["a.png=A"]));
        Assert.That(source.Warnings, Has.Count.EqualTo(1));
        Assert.That(source.Warnings[0],
                    Does.Contain("a.tar").And.Contain("2 links").And.Contain($"'b.png' to '{target}'"));
    }

    [Test]
    public void Link_to_a_name_that_is_there_twice_leads_to_the_last_before_it()
    {
        using var folder = new TemporaryFolder();
        using var source = new TarBytes().Add("a", "1").Add("b.png", type: '1', link: "a").Add("a", "2")
            .Add("c.png", type: '1', link: "a").Zeros()  // an archive joined to another
            .Add("a", "3").Add("d.png", type: '2', link: "a").Add("a", "4").Zeros().Open(folder);
        Assert.That(TarBytes.Read(source), Is.EqualTo(["b.png=1", "c.png=2", "d.png=3"]));
    }

    [Test]
    public void Size_of_a_link_counts_only_where_bytes_follow()
    {
        using var folder = new TemporaryFolder();
        void Sized(byte[] header) => TarBytes.Put(header, 124, TarBytes.Octal(5));
        using var source = new TarBytes()
            .Add("a.png", "A").Add("without.png", type: '1', link: "a.png", edit: Sized)
            .Add("symbolic.png", type: '2', link: "a.png", edit: Sized)
            .Add("with.png", "bytes", type: '1', link: "a.png")
            .Add("last.png", type: '1', link: "a.png", edit: Sized).Zeros().Open(folder);
        Assert.That(TarBytes.Read(source),
                    Is.EqualTo(["a.png=A", "without.png=A", "symbolic.png=A", "with.png=bytes", "last.png=A"]));
    }

    [Test]
    public void Links_that_multiply_end_soon()
    {
        using var folder = new TemporaryFolder();
        var bytes = new TarBytes()
            .Add("x", type: '2', link: "x/x/x/x/x.png")
            .Pax('x', ("linkpath", string.Concat(Enumerable.Repeat("a/", 200_000)))).Add("long.png", type: '2');
        for (int i = 0; i < 1000; ++i)
        {
            bytes.Add($"{i}.png", type: '2', link: $"{i + 1}.png").Add($"x{i}.png", type: '2', link: "x/x");
        }
        using var source = bytes.Add("1000.png", "A").Zeros().Open(folder);
        Assert.That(source.Warnings, Has.Count.EqualTo(1));
        Assert.That(TarBytes.Read(source), Does.Contain("900.png=A"));
    }
}
