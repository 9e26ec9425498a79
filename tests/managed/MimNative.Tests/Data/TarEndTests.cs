using System.Text;
using MimNative.Data;
using NUnit.Framework;

namespace MimNative.Tests.Data;

[TestFixture]
public sealed class TarEndTests
{
    [Test]
    public void Joined_archives_are_read_to_the_last([Values(1, 2, 19, 40)] int zeros)
    {
        using var folder = new TemporaryFolder();
        using var source = new TarBytes()
            .Add("a.png", "A").Zeros(zeros)
            .Add("b.png", "B").Zeros(zeros).Zeros()
            .Add("c.png", "C").Zeros(zeros).Open(folder);
        Assert.That(TarBytes.Read(source), Is.EqualTo(["a.png=A", "b.png=B", "c.png=C"]));
        Assert.That(source.Warnings, Is.Empty);
    }

    [TestCase(1)]
    [TestCase(511)]
    [TestCase(512)]
    [TestCase(5000)]
    public void Bytes_behind_the_end_are_counted(int count)
    {
        using var folder = new TemporaryFolder();
        var bytes = new TarBytes().Add("a.png", "A").Zeros(3).Raw(Encoding.ASCII.GetBytes(new string('x', count)));
        using var source = bytes.Open(folder);
        Assert.That(TarBytes.Read(source), Is.EqualTo(["a.png=A"]));
        Assert.That(source.Warnings, Has.Count.EqualTo(1));
        Assert.That(source.Warnings[0],
                    Does.Contain("a.tar").And.Contain($" {count} byte").And.Contain("from byte 2560 on"));
    }

    [Test]
    public void Bytes_behind_the_end_are_named_where_they_are_known()
    {
        using var folder = new TemporaryFolder();
        using var source = new TarBytes().Add("a.png", "A").Zeros().Raw([0x1f, 0x8b, 8, 0, 0]).Open(folder);
        Assert.That(source.Warnings, Has.One.Contains("5 bytes").And.One.Contains("gzip"));
    }

    [TestCase(7)]
    [TestCase(10240)]
    public void Zeros_that_fill_up_the_file_are_nothing_to_tell(int count)
    {
        using var folder = new TemporaryFolder();
        using var source = new TarBytes().Add("a.png", "A").Zeros().Raw(new byte[count]).Open(folder);
        Assert.That(source.Count, Is.EqualTo(1));
        Assert.That(source.Warnings, Is.Empty);
    }

    [Test]
    public void Joined_archive_that_is_cut_or_damaged_is_an_error()
    {
        using var folder = new TemporaryFolder();
        byte[] second = new TarBytes().Add("b.png", new string('b', 600)).Add("c.png", "C").ToArray();
        var first = new TarBytes().Add("a.png", "A").Zeros();
        Assert.That(() => Joined(second[..700]),
                    Throws.TypeOf<InvalidDataException>().With.Message.Contains("ends early").And.Message.Contains("'b.png'"));
        foreach (int header in (int[])[0, 1536])
        {
            byte[] damaged = [.. second];
            damaged[header + 3] ^= 1;
            Assert.That(() => Joined(damaged),
                        Throws.TypeOf<InvalidDataException>().With.Message.Contains($"no header at byte {2048 + header}"));
        }

        TarSource Joined(byte[] bytes) => new TarBytes().Raw(first.ToArray()).Raw(bytes).Open(folder);
    }

    [Test]
    public void Record_without_the_entry_behind_it_is_a_cut_archive([Values('x', 'L', 'K')] char type, [Values] bool zeros)
    {
        using var folder = new TemporaryFolder();
        var bytes = new TarBytes().Add("a.png", "A");
        _ = type == 'x' ? bytes.Pax('x', ("mtime", "1")) : bytes.Add("././@LongLink", "long.png\0", type);
        Assert.That(() => bytes.Zeros(zeros ? 2 : 0).Open(folder), Throws.TypeOf<InvalidDataException>()
            .With.Message.Contains("ends early").And.Message.Contains("a.tar"));
    }

    [Test]
    public void Name_that_is_there_twice_is_two_pictures_and_told()
    {
        using var folder = new TemporaryFolder();
        using var source = new TarBytes()
            .Add("x.txt").Add("a.png", "1").Add("b.png", "2").Add("x.txt").Add("./b.png", "3").Zeros()
            .Add("a.png", "4").Add("a.png", "5").Add("c.png", "6").Zeros().Open(folder);
        Assert.That(TarBytes.Read(source),
                    Is.EqualTo(["a.png=1", "b.png=2", "./b.png=3", "a.png=4", "a.png=5", "c.png=6"]));
        Assert.That(source.Warnings, Has.Count.EqualTo(1));
        Assert.That(source.Warnings[0], Does.Contain("a.tar").And.Contain("2 names").And.Contain("'b.png'"));
    }

    [TestCase(0)]
    [TestCase(100)]
    [TestCase(10240)]
    public void Archive_of_nothing_is_told(int length)
    {
        using var folder = new TemporaryFolder();
        using (new TarBytes().Add("a.png", "A").Zeros().Open(folder))
        {
            File.WriteAllBytes(folder.File("empty.tar"), new byte[length]);
        }
        using var source = new TarSource(folder.File("a.tar"), folder.File("empty.tar"));
        Assert.That(source.Count, Is.EqualTo(1));
        Assert.That(source.Warnings, Has.Count.EqualTo(1));
        Assert.That(source.Warnings[0], Does.Contain("empty.tar' is empty"));
    }

    [Test]
    public void Warnings_name_their_shards_in_order()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.File("train"));
        Directory.CreateDirectory(folder.File("val"));
        foreach (string shard in (string[])["train/0.tar", "val/0.tar"])
        {
            using var one = new TarBytes()
                .Add("a.png", "A").Add("b.png", type: '2', link: "gone").Zeros().Raw([1]).Open(folder, shard);
        }
        using var source = new TarSource(folder.File("train/0.tar"), folder.File("val/0.tar"));
        Assert.That(FolderSourceTests.Names(source), Is.EqualTo(["train/0.tar:a.png", "val/0.tar:a.png"]));
        Assert.That(source.Warnings.Select(warning => warning.Contains("train", StringComparison.Ordinal)),
                    Is.EqualTo(new[] { true, true, false, false }));
        Assert.That(source.Warnings, Has.All.Contains("0.tar"));
    }
}
