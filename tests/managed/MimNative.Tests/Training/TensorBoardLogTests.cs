using System.Buffers.Binary;
using System.Text;
using Google.Protobuf;
using MimNative.Training;
using NUnit.Framework;

namespace MimNative.Tests.Training;

public sealed class TensorBoardLogTests : FolderTests
{
    [Test]
    public void The_checksum_is_crc_32c_masked()
    {
        // the check value of CRC-32C, from the catalogue of parametrised CRC algorithms
        Assert.That(Crc(Encoding.ASCII.GetBytes("123456789")), Is.EqualTo(0xe3069283));
        var random = new Random(1);
        for (int length = 0; length < 40; ++length)
        {
            var data = new byte[length];
            random.NextBytes(data);
            Assert.That(TensorBoardLog.MaskedChecksum(data), Is.EqualTo(Masked(data)));
        }
    }

    [Test]
    public void Scalars_and_pictures_are_read_back()
    {
        byte[] picture = [1, 2, 3, 200];
        var clock = new StoppedClock();
        string path;
        using (var log = new TensorBoardLog(At("tensorboard"), clock: clock))
        {
            path = log.Path;
            log.AddScalar("loss", 0.25, step: 7);
            log.AddScalar("loss", double.NaN, step: 1L << 40);
            log.AddImage("reconstruction", picture, width: 640, height: 480, step: 8);
            log.Flush();
            Assert.That(Records(path), Has.Count.EqualTo(4));
        }
        Assert.That(Path.GetFileName(path), Does.StartWith("events.out.tfevents.1700000000."));

        List<Dictionary<int, object>> events = [.. Records(path).Select(record => Message(record))];
        Assert.That(events.Select(e => e[1]), Is.All.EqualTo(1_700_000_000.5));
        Assert.That(Text(events[0][3]), Is.EqualTo("brain.Event:2"));
        Assert.That(events[0][2], Is.EqualTo(0L));

        Dictionary<int, object> loss = ValueOf(events[1]);
        Assert.That((events[1][2], Text(loss[1]), loss[2]), Is.EqualTo((7L, "loss", 0.25f)));
        Assert.That((events[2][2], ValueOf(events[2])[2]), Is.EqualTo((1L << 40, float.NaN)));

        Dictionary<int, object> shown = ValueOf(events[3]);
        Assert.That(Text(shown[1]), Is.EqualTo("reconstruction"));
        Dictionary<int, object> image = Message((byte[])shown[4]);
        Assert.That((image[1], image[2], image[3]), Is.EqualTo((480L, 640L, 3L)));
        Assert.That(image[4], Is.EqualTo(picture));
    }

    [Test]
    public void A_resumed_run_tells_TensorBoard_to_forget_later_steps()
    {
        using var log = new TensorBoardLog(Folder, resumedStep: 41);
        log.Flush();
        Dictionary<int, object> second = Message(Records(log.Path)[1]);
        Assert.That(second[2], Is.EqualTo(42L));
        Assert.That(Message((byte[])second[7])[1], Is.EqualTo(1L));
    }

    [Test]
    public void Two_logs_of_one_second_are_two_files()
    {
        using var first = new TensorBoardLog(Folder, clock: new StoppedClock());
        using var second = new TensorBoardLog(Folder, clock: new StoppedClock());
        Assert.That(second.Path, Is.Not.EqualTo(first.Path));
    }

    private static Dictionary<int, object> ValueOf(Dictionary<int, object> record) =>
        Message((byte[])Message((byte[])record[5])[1]);

    private static string Text(object bytes) => Encoding.UTF8.GetString((byte[])bytes);

    /// <summary>The records of a TFRecord file, their checksums verified.</summary>
    private static List<byte[]> Records(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new BinaryReader(stream);
        var records = new List<byte[]>();
        while (stream.Position < stream.Length)
        {
            byte[] length = reader.ReadBytes(8);
            Assert.That(reader.ReadUInt32(), Is.EqualTo(Masked(length)));
            byte[] data = reader.ReadBytes((int)BinaryPrimitives.ReadUInt64LittleEndian(length));
            Assert.That(reader.ReadUInt32(), Is.EqualTo(Masked(data)));
            records.Add(data);
        }
        return records;
    }

    /// <summary>A message's fields by number: long, double, float, or bytes.</summary>
    private static Dictionary<int, object> Message(byte[] data)
    {
        var fields = new Dictionary<int, object>();
        using var input = new CodedInputStream(data);
        for (uint tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            fields.Add(WireFormat.GetTagFieldNumber(tag), WireFormat.GetTagWireType(tag) switch
            {
                WireFormat.WireType.Varint => input.ReadInt64(),
                WireFormat.WireType.Fixed64 => input.ReadDouble(),
                WireFormat.WireType.Fixed32 => input.ReadFloat(),
                WireFormat.WireType.LengthDelimited => input.ReadBytes().ToByteArray(),
                var type => throw new InvalidDataException($"wire type {type}"),
            });
        }
        return fields;
    }

    private static uint Masked(byte[] data)
    {
        uint crc = Crc(data);
        return ((crc >> 15) | (crc << 17)) + 0xa282ead8;
    }

    /// <summary>CRC-32C bit by bit.</summary>
    private static uint Crc(byte[] data)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in data)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; ++bit)
            {
                crc = (crc >> 1) ^ ((crc & 1) == 1 ? 0x82f63b78u : 0);
            }
        }
        return ~crc;
    }

    private sealed class StoppedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() =>
            DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_500);
    }
}
