using System.Diagnostics;
using MimNative.Data;
using NUnit.Framework;

namespace MimNative.Tests.Data;

[TestFixture]
public sealed class TarDamageTests
{
    // With a right checksum the damage reaches what lies behind that check.
    [Test]
    public void Damaged_archive_is_read_or_refused_and_never_anything_else(
        [Values("linked", "sparse_gnu", "sparse_pax_0.0", "sparse_pax_0.1", "sparse_pax_1.0", "every kind")] string archive,
        [Values] bool repaired)
    {
        byte[] whole = archive == "every kind"
            ? EveryKind()
            : File.ReadAllBytes(Path.Combine(Golden.Repository, "tests", "cases", archive + ".tar"));
        int[] headers = [.. Enumerable.Range(0, whole.Length / 512)
            .Where(block => TarHeader.IsAt(whole.AsSpan(512 * block, 512)))];
        Assert.That(headers, Is.Not.Empty);
        using var folder = new TemporaryFolder();
        var random = new Random(1);
        var watch = Stopwatch.StartNew();
        int refused = 0;
        for (int i = 0; i < 300; ++i)
        {
            byte[] bytes = [.. whole];
            for (int changes = random.Next(1, 4); changes > 0; --changes)
            {
                Change(bytes, headers[random.Next(headers.Length)], random);
            }
            foreach (int header in repaired ? headers : [])
            {
                TarBytes.SetChecksum(bytes.AsSpan(512 * header, 512));
            }
            int length = random.Next(4) == 0 ? random.Next(bytes.Length) : bytes.Length;
            refused += Read(folder, bytes[..length]) ? 0 : 1;
        }
        Assert.That(refused, Is.InRange(1, 299), "damage of both kinds was tried");
        Assert.That(watch.Elapsed, Is.LessThan(TimeSpan.FromMinutes(1)));
    }

    // In or close behind a header, where what counts lies: a bit, a digit, or any byte.
    private static void Change(byte[] bytes, int header, Random random)
    {
        int at = Math.Min(512 * header + random.Next(random.Next(2) == 0 ? 512 : 1024), bytes.Length - 1);
        bytes[at] = random.Next(3) switch
        {
            0 => (byte)(bytes[at] ^ 1 << random.Next(8)),
            1 => (byte)('0' + random.Next(10)),
            _ => (byte)random.Next(256),
        };
    }

    private static bool Read(TemporaryFolder folder, byte[] bytes)
    {
        try
        {
            using var source = new TarBytes().Raw(bytes).Open(folder);
            var buffer = new ByteBuffer();
            for (int i = 0; i < source.Count; ++i)
            {
                _ = source.Name(i) + source.Label(i);
                source.ReadBytes(i, buffer);
            }
            return true;
        }
        catch (InvalidDataException error)
        {
            Assert.That(error.Message, Does.Contain("a.tar"));
            return false;
        }
    }

    private static byte[] EveryKind() => new TarBytes()
        .Pax('g', ("comment", "x")).Add("a.png", "A")
        .Add("b.png", type: '1', link: "a.png").Add("c.png", type: '2', link: "./d/../a.png")
        .Pax('x', ("path", "d/long.png"), ("linkpath", "a.png"), ("size", "3")).Add("e.png", "abc")
        .Add("././@LongLink", "gnu.png\0", 'L').Add("././@LongLink", "a.png\0", 'K').Add("x", type: '2')
        .Add("m.png", "rest", 'M').Add("star.png", "abc", 'S', edit: header =>
        {
            TarBytes.Put(header, 452, TarBytes.Octal(9));
            TarBytes.Put(header, 356, TarBytes.Octal(2) + TarBytes.Octal(3));
        })
        .Zeros().Add("a.png", "again").Zeros().ToArray();
}
