using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using FsCheck;
using MimNative.Export;
using NUnit.Framework;
using PropertyAttribute = FsCheck.NUnit.PropertyAttribute;

namespace MimNative.Tests.Export;

public sealed class SafetensorsWriterTests : FolderTests
{
    [Property]
    public void Any_numbers_round_trip_bit_by_bit(float[] floats, int[] ints, byte[] bytes)
    {
        string path = At("a.safetensors");
        SafetensorsWriter.Save(path,
        [
            SafetensorsTensor.Of("floats", floats, floats.Length),
            SafetensorsTensor.Of("ints", ints, 1, ints.Length),
            SafetensorsTensor.Of("bytes", bytes, bytes.Length, 1, 1),
        ]);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        // NaN is not equal to NaN, its bits are
        Assert.That(MemoryMarshal.AsBytes(file.ReadFloats("floats").AsSpan()).ToArray(),
            Is.EqualTo(MemoryMarshal.AsBytes(floats.AsSpan()).ToArray()));
        Assert.That(file.ReadInts("ints"), Is.EqualTo(ints));
        Assert.That(file.ReadBytes("bytes"), Is.EqualTo(bytes));
        Assert.That(file["bytes"].Shape, Is.EqualTo(new long[] { bytes.Length, 1, 1 }));
    }

    [Property]
    public void Any_name_and_metadata_round_trip(string?[] texts)
    {
        // half a surrogate pair is no text; the JSON writer refuses it
        string[] names = [.. texts.OfType<string>()
            .Where(t => t.Length > 0 && t != "__metadata__" && t.EnumerateRunes().All(r => r != Rune.ReplacementChar))
            .Distinct(StringComparer.Ordinal)];
        string path = At("a.safetensors");
        SafetensorsWriter.Save(path, names.Select((name, i) => SafetensorsTensor.Of(name, new[] { i })),
            names.ToDictionary(name => name, name => "about " + name));
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.That(file.Entries.Select(e => e.Name), Is.EquivalentTo(names));
        for (int i = 0; i < names.Length; ++i)
        {
            Assert.That(file.ReadInts(names[i]), Is.EqualTo(new[] { i }));
            Assert.That(file.Metadata[names[i]], Is.EqualTo("about " + names[i]));
        }
    }

    [Test]
    public void Order_of_the_tensors_does_not_matter()
    {
        SafetensorsTensor[] tensors =
        [
            SafetensorsTensor.Of("b", new float[] { 1 }, 1),
            SafetensorsTensor.Of("c", new byte[] { 3 }, 1),
            SafetensorsTensor.Of("a", new float[] { 2 }, 1),
        ];
        Assert.That(Bytes(tensors), Is.EqualTo(Bytes([.. tensors.Reverse()])));
    }

    [Test]
    public void Data_begin_at_a_multiple_of_eight_and_tensors_at_their_element_size([Range(1, 9)] int letters)
    {
        string path = At("a.safetensors");
        SafetensorsWriter.Save(path,
        [
            SafetensorsTensor.Of(new string('a', letters), new byte[] { 1, 2, 3 }, 3),
            SafetensorsTensor.Of("z", new float[] { 1 }, 1),
        ]);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.That(file["z"].Offset % 8, Is.Zero);
        Assert.That(BinaryPrimitives.ReadInt64LittleEndian(File.ReadAllBytes(path)) % 8, Is.Zero);
    }

    [Test]
    public void A_large_tensor_is_asked_for_in_order_and_once()
    {
        const int count = 3_000_001;
        long next = 0;
        var tensor = new SafetensorsTensor("a", SafetensorsType.U8, [count], (offset, destination) =>
        {
            Assert.That(offset, Is.EqualTo(next));
            next += destination.Length;
            for (int i = 0; i < destination.Length; ++i)
            {
                destination[i] = (byte)((offset + i) % 251);
            }
        });
        string path = At("a.safetensors");
        SafetensorsWriter.Save(path, [tensor]);
        Assert.That(next, Is.EqualTo(count));
        using SafetensorsFile file = SafetensorsFile.Open(path);
        byte[] read = file.ReadBytes("a");
        Assert.That(Enumerable.Range(0, count).All(i => read[i] == i % 251), Is.True);
    }

    [Test]
    public void Mistakes_of_the_caller_are_named()
    {
        Assert.That(() => SafetensorsTensor.Of("a", new float[5], 2, 3),
            Throws.ArgumentException.With.Message.Contains("[2, 3] needs 6 elements, but 5 came"));
        Assert.That(() => SafetensorsTensor.Of("__metadata__", new float[1], 1), Throws.ArgumentException);
        Assert.That(() => SafetensorsTensor.Of("a", new float[1], -1),
            Throws.InstanceOf<ArgumentOutOfRangeException>());
        SafetensorsTensor tensor = SafetensorsTensor.Of("twice", new float[1], 1);
        Assert.That(() => Bytes([tensor, tensor]), Throws.ArgumentException.With.Message.Contains("'twice'"));
    }

    [Test]
    public void A_failed_save_leaves_the_earlier_file_and_nothing_else()
    {
        string path = At("a.safetensors");
        SafetensorsWriter.Save(path, [SafetensorsTensor.Of("a", new float[] { 1 }, 1)]);
        byte[] before = File.ReadAllBytes(path);
        var failing = new SafetensorsTensor("b", SafetensorsType.U8, [1], (_, _) =>
            throw new InvalidOperationException("the device is gone"));
        Assert.That(() => SafetensorsWriter.Save(path, [failing]), Throws.InvalidOperationException);
        Assert.That(File.ReadAllBytes(path), Is.EqualTo(before));
        Assert.That(Directory.GetFiles(Folder), Is.EqualTo(new[] { path }));
    }

    [Test]
    public void A_place_that_cannot_be_written_is_named()
    {
        string file = At("file");
        File.WriteAllText(file, "");
        string below = Path.Combine(file, "a.safetensors");
        Assert.That(() => SafetensorsWriter.Save(below, []),
            Throws.InstanceOf<IOException>().With.Message.Contains($"'{below}' could not be written"));
    }

    [Test]
    [Platform("Linux")]
    public void A_full_disk_is_called_that()
    {
        // a link with the name of the unfinished file leads to a device that is always full
        File.CreateSymbolicLink(At("a.safetensors.partial"), "/dev/full");
        Assert.That(() => SafetensorsWriter.Save(At("a.safetensors"), []),
            Throws.InstanceOf<IOException>().With.Message.Contains("the disk is full"));
    }

    private static byte[] Bytes(SafetensorsTensor[] tensors)
    {
        using var stream = new MemoryStream();
        SafetensorsWriter.Write(stream, tensors);
        return stream.ToArray();
    }
}
