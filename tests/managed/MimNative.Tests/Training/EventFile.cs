using System.Buffers.Binary;
using System.Text;
using Google.Protobuf;
using NUnit.Framework;

namespace MimNative.Tests.Training;

/// <summary>Reads TensorBoard's event files, written without looking at the writer.</summary>
internal static class EventFile
{
    /// <summary>
    /// A curve as TensorBoard shows it for a run of several event files: read in the order of their names, each up to a record
    /// that a kill tore off; the start of a session takes back what came before it of its step and later.
    /// </summary>
    public static SortedDictionary<long, float> Curve(string folder, string tag)
    {
        var curve = new SortedDictionary<long, float>();
        foreach (string path in Directory.GetFiles(folder, "events.out.tfevents.*").Order(StringComparer.Ordinal))
        {
            foreach (Dictionary<int, object> record in Records(path, torn: true).Select(r => Message(r)))
            {
                long step = record.TryGetValue(2, out object? given) ? (long)given : 0;
                if (record.ContainsKey(7))
                {
                    curve.Keys.Where(known => known >= step).ToList().ForEach(known => curve.Remove(known));
                }
                else if (record.ContainsKey(5) && ValueOf(record) is var value && Text(value[1]) == tag)
                {
                    Assert.That(curve.TryAdd(step, (float)value[2]), Is.True, $"{tag} of step {step} is there twice");
                }
            }
        }
        return curve;
    }

    public static Dictionary<int, object> ValueOf(Dictionary<int, object> record) =>
        Message((byte[])Message((byte[])record[5])[1]);

    public static string Text(object bytes) => Encoding.UTF8.GetString((byte[])bytes);

    /// <summary>The records of a TFRecord file, their checksums verified; the last one may be torn where the caller says so.</summary>
    public static List<byte[]> Records(string path, bool torn = false)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new BinaryReader(stream);
        var records = new List<byte[]>();
        while (stream.Position < stream.Length)
        {
            byte[] length = reader.ReadBytes(8);
            long left = stream.Length - stream.Position;
            if (torn && (length.Length < 8 || left < 8 + BinaryPrimitives.ReadInt64LittleEndian(length)))
            {
                break;
            }
            Assert.That(reader.ReadUInt32(), Is.EqualTo(Masked(length)));
            byte[] data = reader.ReadBytes((int)BinaryPrimitives.ReadUInt64LittleEndian(length));
            Assert.That(reader.ReadUInt32(), Is.EqualTo(Masked(data)));
            records.Add(data);
        }
        return records;
    }

    /// <summary>A message's fields by number: long, double, float, or bytes.</summary>
    public static Dictionary<int, object> Message(byte[] data)
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

    public static uint Masked(byte[] data)
    {
        uint crc = Crc(data);
        return ((crc >> 15) | (crc << 17)) + 0xa282ead8;
    }

    /// <summary>CRC-32C bit by bit.</summary>
    public static uint Crc(byte[] data)
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
}
