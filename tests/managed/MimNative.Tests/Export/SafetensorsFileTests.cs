using System.Buffers.Binary;
using System.Text;
using MimNative.Export;
using NUnit.Framework;

namespace MimNative.Tests.Export;

public sealed class SafetensorsFileTests : FolderTests
{
    [TestCase("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,9]}}""", "ends at byte 9")]
    [TestCase("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", "'a' needs 12 bytes")]
    [TestCase("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", "negative number -2")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}""", "shape of tensor 'a'")]
    [TestCase("""{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}""", "too large")]
    [TestCase("""{"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,8]}}""", "64-bit")]
    [TestCase("""{"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}}""", "dtype 'F33'")]
    [TestCase("""{"a":{"dtype":7,"shape":[2],"data_offsets":[0,8]}}""", "dtype of tensor 'a'")]
    [TestCase("""{"a":{"shape":[2],"data_offsets":[0,8]}}""", "'a' has no dtype")]
    [TestCase("""{"a":{"dtype":"F32","data_offsets":[0,8]}}""", "'a' has no shape")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2]}}""", "'a' has no data_offsets")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]}}""", "two shapes")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}""", "1 numbers instead of 2")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", "before its begin")]
    [TestCase("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "4 bytes in front of tensor 'a'")]
    [TestCase("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "4 bytes at the end")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[1],"data_offsets":[7,8]}}""", "'b' overlap")]
    [TestCase("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}""", "'a' twice")]
    [TestCase("""{"":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "empty name")]
    [TestCase("""{"a":3}""", "description of tensor 'a'")]
    [TestCase("""{"__metadata__":{"k":1}}""", "not a string, under the key 'k'")]
    [TestCase("""{"__metadata__":{"k":"1","k":"2"}}""", "key 'k' twice")]
    [TestCase("""{"__metadata__":{},"__metadata__":{}}""", "'__metadata__' twice")]
    [TestCase("""{"__metadata__":[]}""", "'__metadata__' is not an object")]
    [TestCase("""{"\ud800":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "not valid Unicode")]
    [TestCase("""[]""", "not a JSON object")]
    [TestCase("""{"a":""", "not valid JSON")]
    [TestCase("""{} x""", "not valid JSON")]
    [TestCase("", "not valid JSON")]
    public void A_wrong_header_is_described(string header, string expected)
    {
        string path = Store(header, data: 8);
        Assert.That(() => SafetensorsFile.Open(path), Throws.TypeOf<InvalidFileException>()
            .With.Message.StartsWith(path).And.Message.Contains(expected));
    }

    [Test]
    public void Bytes_that_are_not_utf8_are_described()
    {
        byte[] header = Encoding.Latin1.GetBytes("{\"\xff\":1}");
        string path = Store(header, data: 0);
        Assert.That(() => SafetensorsFile.Open(path),
            Throws.TypeOf<InvalidFileException>().With.Message.Contains("UTF-8"));
    }

    [TestCase(0ul, "at least 8 bytes, but this one has 3", 3)]
    [TestCase(1ul << 63, "9223372036854775808 bytes", 8)]
    [TestCase(100_000_001ul, "100000001 bytes", 8)]
    [TestCase(17ul, "the file ends after 2 of them", 10)]
    public void A_wrong_length_is_described(ulong header, string expected, int fileBytes)
    {
        var bytes = new byte[Math.Max(8, fileBytes)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, header);
        string path = At("wrong.safetensors");
        File.WriteAllBytes(path, bytes[..fileBytes]);
        Assert.That(() => SafetensorsFile.Open(path),
            Throws.TypeOf<InvalidFileException>().With.Message.Contains(expected));
    }

    [Test]
    public void A_missing_file_and_a_folder_are_described()
    {
        Assert.That(() => SafetensorsFile.Open(At("none")),
            Throws.TypeOf<InvalidFileException>().With.Message.Contains("no such file"));
        Assert.That(() => SafetensorsFile.Open(Folder),
            Throws.TypeOf<InvalidFileException>().With.Message.Contains("it is a folder"));
    }

    [Test]
    public void Every_truncation_is_refused()
    {
        byte[] whole = File.ReadAllBytes(StoreExample());
        string path = At("short.safetensors");
        for (int length = 0; length < whole.Length; ++length)
        {
            File.WriteAllBytes(path, whole[..length]);
            Assert.That(() => SafetensorsFile.Open(path).Dispose(), Throws.TypeOf<InvalidFileException>());
        }
    }

    [Test]
    public void Damage_gives_numbers_or_the_one_exception()
    {
        byte[] whole = File.ReadAllBytes(StoreExample());
        string path = At("damaged.safetensors");
        var random = new Random(1);
        int refused = 0;
        for (int round = 0; round < 500; ++round)
        {
            byte[] bytes = [.. whole];
            for (int change = random.Next(1, 4); change > 0; --change)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }
            File.WriteAllBytes(path, bytes);
            refused += ReadAll(path) ? 0 : 1;
        }
        // the header is most of the file, and most bytes of a header matter
        Assert.That(refused, Is.InRange(150, 499));
    }

    [Test]
    public void A_file_cut_off_while_open_is_described()
    {
        string path = StoreExample();
        using SafetensorsFile file = SafetensorsFile.Open(path);
        using (FileStream stream = File.Open(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            stream.SetLength(file["weight"].Offset + 4);
        }
        Assert.That(() => file.ReadFloats("weight"),
            Throws.TypeOf<InvalidFileException>().With.Message.Contains("ends inside 'weight'"));
    }

    [Test]
    public void A_mistyped_name_is_asked_about()
    {
        using SafetensorsFile file = SafetensorsFile.Open(StoreExample());
        Assert.That(() => file.ReadFloats("weigth"), Throws.TypeOf<InvalidFileException>()
            .With.Message.Contains("no tensor 'weigth'; did you mean 'weight'?"));
    }

    [Test]
    public void A_wrong_type_is_described()
    {
        using SafetensorsFile file = SafetensorsFile.Open(StoreExample());
        Assert.That(() => file.ReadInts("weight"), Throws.TypeOf<InvalidFileException>()
            .With.Message.Contains("'weight' should hold integers").And.Message.Contains("F32"));
        Assert.That(() => file.ReadFloats("ids"), Throws.TypeOf<InvalidFileException>()
            .With.Message.Contains("'ids' should hold floating-point numbers").And.Message.Contains("I32"));
    }

    [Test]
    public void Half_and_double_types_become_floats()
    {
        byte[] data = new byte[8 + 4 + 4];
        BinaryPrimitives.WriteDoubleLittleEndian(data, 0.1);
        BinaryPrimitives.WriteHalfLittleEndian(data.AsSpan(8), (Half)1.5f);
        BinaryPrimitives.WriteHalfLittleEndian(data.AsSpan(10), Half.NegativeInfinity);
        BinaryPrimitives.WriteUInt16LittleEndian(data.AsSpan(12), 0x3fc0);  // 1.5
        BinaryPrimitives.WriteUInt16LittleEndian(data.AsSpan(14), 0xc049);  // -3.140625
        string path = Store(Encoding.UTF8.GetBytes("""
            {"d":{"dtype":"F64","shape":[],"data_offsets":[0,8]},
             "h":{"dtype":"F16","shape":[2],"data_offsets":[8,12]},
             "b":{"dtype":"BF16","shape":[2],"data_offsets":[12,16]}}
            """), data);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.That(file.ReadFloats("d"), Is.EqualTo(new[] { 0.1f }));
        Assert.That(file.ReadFloats("h"), Is.EqualTo(new[] { 1.5f, float.NegativeInfinity }));
        Assert.That(file.ReadFloats("b"), Is.EqualTo(new[] { 1.5f, -3.140625f }));
    }

    [Test]
    public void A_wide_integer_that_does_not_fit_is_described()
    {
        byte[] data = new byte[16];
        BinaryPrimitives.WriteInt64LittleEndian(data, -5);
        BinaryPrimitives.WriteInt64LittleEndian(data.AsSpan(8), 1L << 31);
        string path = Store(Encoding.UTF8.GetBytes("""
            {"good":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},
             "wide":{"dtype":"I64","shape":[1],"data_offsets":[8,16]}}
            """), data);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.That(file.ReadInts("good"), Is.EqualTo(new[] { -5 }));
        Assert.That(() => file.ReadInts("wide"),
            Throws.TypeOf<InvalidFileException>().With.Message.Contains("'wide' holds 2147483648"));
    }

    [Test]
    public void Tensors_beyond_4_GiB_are_read_in_pieces()
    {
        // a sparse file: 5 GiB of zeros that take no space, and one float at the end
        const long count = 5L << 28;
        string path = Store(Encoding.UTF8.GetBytes(
            $$"""{"a":{"dtype":"F32","shape":[{{count}}],"data_offsets":[0,{{count * 4}}]} }"""), []);
        using (FileStream stream = File.Open(path, FileMode.Open))
        {
            stream.SetLength(stream.Length + (count * 4));
            stream.Seek(-4, SeekOrigin.End);
            stream.Write(BitConverter.GetBytes(2.5f));
        }
        using SafetensorsFile file = SafetensorsFile.Open(path);
        var last = new float[3];
        file.ReadFloats("a", count - 3, last);
        Assert.That(last, Is.EqualTo(new[] { 0, 0, 2.5f }));
        Assert.That(() => file.ReadFloats("a", count - 2, last),
            Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => file.ReadBytes("a"),
            Throws.TypeOf<InvalidFileException>().With.Message.Contains("in pieces"));
    }

    [Test]
    public void Every_golden_file_can_be_read([ValueSource(nameof(GoldenFiles))] string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.That(file.Metadata["case"], Is.Not.Empty);
        Assert.That(file.Entries, Is.Not.Empty);
        foreach (SafetensorsEntry entry in file.Entries)
        {
            Assert.That(file.ReadBytes(entry.Name), Has.Length.EqualTo(entry.Bytes));
        }
    }

    private static IEnumerable<string> GoldenFiles => Golden.Files();

    private static bool ReadAll(string path)
    {
        try
        {
            using SafetensorsFile file = SafetensorsFile.Open(path);
            foreach (SafetensorsEntry entry in file.Entries)
            {
                _ = file.ReadBytes(entry.Name);
                _ = entry.Type switch
                {
                    SafetensorsType.F64 or SafetensorsType.F32 or SafetensorsType.F16
                        or SafetensorsType.BF16 => file.ReadFloats(entry.Name).Length,
                    _ => file.ReadInts(entry.Name).Length,
                };
            }
            return true;
        }
        catch (InvalidFileException)
        {
            return false;
        }
    }

    private string StoreExample()
    {
        string path = At("example.safetensors");
        SafetensorsWriter.Save(path,
        [
            SafetensorsTensor.Of("weight", new float[] { 1, 2, 3, 4, 5, 6 }, 2, 3),
            SafetensorsTensor.Of("ids", new[] { 7, -8 }, 2),
            SafetensorsTensor.Of("mask", new byte[] { 1, 0, 1 }, 3),
        ], new Dictionary<string, string> { ["note"] = "an example" });
        return path;
    }

    private string Store(string header, int data) => Store(Encoding.UTF8.GetBytes(header), data);

    private string Store(byte[] header, int data) => Store(header, new byte[data]);

    private string Store(byte[] header, byte[] data)
    {
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        string path = At("written-by-hand.safetensors");
        File.WriteAllBytes(path, [.. length, .. header, .. data]);
        return path;
    }
}
