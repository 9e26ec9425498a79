using System.Security.Cryptography;
using System.Text;
using MimNative.Data;
using NUnit.Framework;

namespace MimNative.Tests.Data;

[TestFixture]
public sealed class TarSparseTests
{
    // offset and length of the stored pieces, the last of them empty, as tar marks the end
    private static readonly long[] Map = [0, 3, 600, 4, 2000, 0];
    private const string Stored = "abcdefg";
    private const int Size = 2000;

    private static string Whole { get; } = "abc" + new string('\0', 597) + "defg" + new string('\0', 1396);

    [TestCase("sparse_gnu.tar")]
    [TestCase("sparse_pax_0.0.tar")]
    [TestCase("sparse_pax_0.1.tar")]
    [TestCase("sparse_pax_1.0.tar")]
    public void Sparse_files_made_by_gnu_tar_have_their_holes_and_names(string archive)
    {
        // 30 blocks of 512 bytes with a hole behind each, a hole of 40000 bytes and three letters
        var many = new byte[60 * 512 + 40000 + 3];
        for (int i = 0; i < 60 * 512; ++i)
        {
            many[i] = (byte)(i / 512 % 2 == 0 ? (i / 512 * 7 + i % 512) % 251 + 1 : 0);
        }
        "end"u8.CopyTo(many.AsSpan(60 * 512 + 40000));
        byte[][] expected = [many, new byte[20000], [], Encoding.UTF8.GetBytes("plain")];

        using var source = new TarSource(Case(archive));
        Assert.That(FolderSourceTests.Names(source), Is.EqualTo(["many.png", "hole.png", "empty.png", "plain.png"]));
        var buffer = new ByteBuffer();
        buffer.Take(100_000).Fill(0xee);
        for (int i = 0; i < source.Count; ++i)
        {
            Assert.That(source.ReadBytes(i, buffer).ToArray(), Is.EqualTo(expected[i]), source.Name(i));
        }
        Assert.That(source.Warnings, Is.Empty);
    }

    [Test]
    public void Sparse_picture_lies_between_others()
    {
        using var source = new TarSource(Case("sparse_few_gnu.tar"));
        Assert.That(FolderSourceTests.Names(source), Is.EqualTo(["a.png", "few_holes.png", "z.png"]));
        var picture = source.ReadBytes(1, new ByteBuffer());
        Assert.That(picture.Length, Is.EqualTo(49348));
        Assert.That(Convert.ToHexString(SHA256.HashData(picture)), Is.EqualTo(
            "E116B10FB5A91EC89E1B71AA3540960D1D445CF205829739F7C69E1F0E768EF3"));
    }

    [Test]
    public void Every_form_says_the_same([Values("gnu", "gnu long", "star", "0.0", "0.1", "1.0")] string form)
    {
        using var folder = new TemporaryFolder();
        using var source = Add(new TarBytes().Add("a.png", "A"), form, Map, Size, Stored)
            .Add("link.png", type: '1', link: "s.png").Add("z.png", "Z").Zeros().Open(folder);
        Assert.That(TarBytes.Read(source), Is.EqualTo(["a.png=A", "s.png=" + Whole, "link.png=" + Whole, "z.png=Z"]));
        Assert.That(source.Warnings, Is.Empty);
    }

    [Test]
    public void Map_that_cannot_be_is_a_damaged_archive(
        [Values("gnu", "gnu long", "star", "0.0", "0.1", "1.0")] string form,
        [Values("0 5 3 2", "600 4 0 3", "0 3 1998 4", "2001 0 2001 7", "0 3 600 5", "0 3 600 3")] string map)
    {
        using var folder = new TemporaryFolder();
        var bytes = Add(new TarBytes(), form, [.. map.Split(' ').Select(long.Parse)], Size, Stored).Zeros();
        Assert.That(() => bytes.Open(folder), Throws.TypeOf<InvalidDataException>()
            .With.Message.Contains("damaged").And.Message.Contains("sparse file 's.png'").And.Message.Contains("a.tar"));
    }

    [TestCase("300\n", 128, "does not end within the 512 bytes")]
    [TestCase("3\n0\n3\n", 1, "no number")]
    [TestCase("1\n0\nx\n", 1, "no number")]
    [TestCase("\n", 1, "no number")]
    [TestCase("99999999999999999999\n", 1, "no number")]
    public void Map_before_the_data_is_checked(string lines, int times, string said)
    {
        using var folder = new TemporaryFolder();
        var bytes = Pax(new TarBytes(), "1.0", Size).Add("x", string.Concat(Enumerable.Repeat(lines, times))).Zeros();
        Assert.That(() => bytes.Open(folder),
                    Throws.TypeOf<InvalidDataException>().With.Message.Contains(said).And.Message.Contains("'s.png'"));
    }

    [Test]
    public void Pax_records_are_checked_against_each_other()
    {
        using var folder = new TemporaryFolder();
        foreach (var (records, said) in ((string, string)[])
                 [
                     ("size=5 map=0,3,4", "without a length"), ("size=5 numblocks=2 map=0,0", "1 pieces, not the 2"),
                     ("map=0,0", "no size"), ("size=5 map=0,y", "no number"), ("size=-5 map=0,0", "no number"),
                     ("major=2 realsize=5", "version 2.0; known are 0.0, 0.1 and 1.0"), ("major=1 minor=0", "no size"),
                 ])
        {
            var pairs = records.Split(' ').Select(record => record.Split('='))
                .Select(record => ("GNU.sparse." + record[0], record[1]));
            var bytes = new TarBytes().Pax('x', [.. pairs]).Add("s.png").Zeros();
            Assert.That(() => bytes.Open(folder),
                        Throws.TypeOf<InvalidDataException>().With.Message.Contains(said), records);
        }
    }

    [Test]
    public void Archive_that_ends_within_a_map_or_the_pieces_says_so([Values(512, 1024, 1536)] int length)
    {
        using var folder = new TemporaryFolder();
        byte[] bytes = Add(new TarBytes(), "gnu long", Map, Size, Stored).ToArray()[..length];
        Assert.That(() => new TarBytes().Raw(bytes).Open(folder),
                    Throws.TypeOf<InvalidDataException>().With.Message.Contains("ends early").And.Message.Contains("'s.png'"));
    }

    [Test]
    public void Picture_of_gigabytes_of_holes_is_left_out_and_told([Values("gnu", "1.0")] string form)
    {
        using var folder = new TemporaryFolder();
        var bytes = Add(new TarBytes().Add("a.png", "A"), form, [0, 7], 1L << 30, Stored);
        using var source = bytes.Zeros().Open(folder);
        Assert.That(FolderSourceTests.Names(source), Is.EqualTo(["a.png"]));
        Assert.That(source.Warnings, Has.One.Contains("1 picture is too large")
            .And.One.Contains("'s.png' with 1073741824 bytes"));
    }

    private static string Case(string name) => Path.Combine(Golden.Repository, "tests", "cases", name);

    private static TarBytes Add(TarBytes bytes, string form, long[] map, long size, string stored)
    {
        switch (form)
        {
            case "gnu" or "star":
                var (magic, entriesAt, sizeAt) = form == "star" ? ("ustar\00000", 356, 452) : ("ustar  \0", 386, 483);
                return bytes.Add("s.png", stored, 'S', magic: magic, edit: header =>
                {
                    TarBytes.Put(header, entriesAt, string.Concat(map.Select(TarBytes.Octal)));
                    TarBytes.Put(header, sizeAt, TarBytes.Octal(size));
                });
            case "gnu long":  // the map goes on in two more blocks; empty pieces fill what is before
                string entries = string.Concat(new long[2 * (4 + 21)].Concat(map).Select(TarBytes.Octal));
                bytes.Add("s.png", type: 'S', magic: "ustar  \0", edit: header =>
                {
                    TarBytes.Put(header, 124, TarBytes.Octal(stored.Length));
                    TarBytes.Put(header, 483, TarBytes.Octal(size));
                    TarBytes.Put(header, 386, entries[..96]);
                    header[482] = 1;
                });
                return bytes.Raw(Encoding.ASCII.GetBytes(entries[96..600] + "\u0001"), padded: true)
                    .Raw(Encoding.ASCII.GetBytes(entries[600..]), padded: true)
                    .Raw(Encoding.ASCII.GetBytes(stored), padded: true);
            case "0.0":
                var pairs = map.Select((number, i) => ("GNU.sparse." + (i % 2 == 0 ? "offset" : "numbytes"), $"{number}"));
                var sizes = new[] { ("GNU.sparse.size", $"{size}"), ("GNU.sparse.numblocks", $"{map.Length / 2}") };
                return bytes.Pax('x', [.. sizes, .. pairs]).Add("s.png", stored);
            case "0.1":
                return bytes
                    .Pax('x', ("path", "wrong"), ("GNU.sparse.name", "s.png"), ("GNU.sparse.size", $"{size}"),
                         ("GNU.sparse.map", string.Join(',', map)))
                    .Add("GNUSparseFile.1/x", stored);
            default:
                string lines = string.Concat(map.Prepend(map.Length / 2).Select(number => $"{number}\n"));
                return Pax(bytes, form, size).Add("GNUSparseFile.1/x", lines.PadRight(512, '\0') + stored);
        }
    }

    private static TarBytes Pax(TarBytes bytes, string version, long size) =>
        bytes.Pax('x', ("GNU.sparse.major", version[..1]), ("GNU.sparse.minor", version[2..]),
                  ("GNU.sparse.name", "s.png"), ("GNU.sparse.realsize", $"{size}"));
}
