using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using Google.Protobuf;

namespace MimNative.Training;

/// <summary>
/// Writes an event file that TensorBoard shows: scalars and pictures over steps. The file is a sequence of
/// TFRecords, each an Event message of TensorFlow's event.proto; only the fields used here are written.
/// </summary>
public sealed class TensorBoardLog : IDisposable
{
    // event.proto: message Event
    private const int EventWallTime = 1, EventStep = 2, EventFileVersion = 3, EventSummary = 5,
        EventSessionLog = 7;

    // event.proto: message SessionLog and its status START
    private const int SessionLogStatus = 1, SessionStart = 1;

    // summary.proto: messages Summary, Summary.Value, Summary.Image
    private const int SummaryValue = 1, ValueTag = 1, ValueSimpleValue = 2, ValueImage = 4;
    private const int ImageHeight = 1, ImageWidth = 2, ImageColorspace = 3, ImageEncoded = 4;

    private const int Rgb = 3;

    private const string Prefix = "events.out.tfevents.";

    private readonly FileStream _stream;
    private readonly TimeProvider _clock;

    /// <summary>Begins a new event file in a folder, which is created if need be.</summary>
    /// <param name="folder">The folder; TensorBoard reads all event files of one as one run.</param>
    /// <param name="resumedStep">
    /// When a run continues after this step, TensorBoard is told to forget what earlier files of the folder say
    /// about later steps.
    /// </param>
    /// <param name="clock">What time it is; the system's by default.</param>
    public TensorBoardLog(string folder, long resumedStep = 0, TimeProvider? clock = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentOutOfRangeException.ThrowIfNegative(resumedStep);
        _clock = clock ?? TimeProvider.System;
        Directory.CreateDirectory(folder);
        long? latest = LatestIn(folder);
        _stream = Create(folder, Math.Max(_clock.GetUtcNow().ToUnixTimeSeconds(), (latest ?? -1) + 1));
        WriteEvent(0, output =>
        {
            output.WriteTag(EventFileVersion, WireFormat.WireType.LengthDelimited);
            output.WriteString("brain.Event:2");
        });
        if (resumedStep > 0 || latest is not null)
        {
            WriteEvent(resumedStep + 1, output => WriteMessage(output, EventSessionLog, log =>
            {
                log.WriteTag(SessionLogStatus, WireFormat.WireType.Varint);
                log.WriteEnum(SessionStart);
            }));
        }
    }

    /// <summary>The event file's path.</summary>
    public string Path => _stream.Name;

    /// <summary>Adds one point of a curve.</summary>
    public void AddScalar(string tag, double value, long step) =>
        WriteValue(tag, step, output =>
        {
            output.WriteTag(ValueSimpleValue, WireFormat.WireType.Fixed32);
            output.WriteFloat((float)value);
        });

    /// <summary>Adds one colour picture, encoded as PNG or JPEG.</summary>
    public void AddImage(string tag, ReadOnlyMemory<byte> encoded, int width, int height, long step) =>
        WriteValue(tag, step, output => WriteMessage(output, ValueImage, image =>
        {
            foreach ((int field, int value) in new[]
            {
                (ImageHeight, height), (ImageWidth, width), (ImageColorspace, Rgb),
            })
            {
                image.WriteTag(field, WireFormat.WireType.Varint);
                image.WriteInt32(value);
            }
            image.WriteTag(ImageEncoded, WireFormat.WireType.LengthDelimited);
            image.WriteBytes(UnsafeByteOperations.UnsafeWrap(encoded));
        }));

    /// <summary>Hands what was added to the operating system, where TensorBoard sees it.</summary>
    public void Flush() => _stream.Flush();

    /// <summary>Closes the file.</summary>
    public void Dispose() => _stream.Dispose();

    /// <summary>
    /// TFRecord's checksum of a piece: CRC-32C, rotated and shifted by a constant because a checksum of data
    /// that hold checksums is weak.
    /// </summary>
    internal static uint MaskedChecksum(ReadOnlySpan<byte> data)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in data)
        {
            crc = BitOperations.Crc32C(crc, value);
        }
        return BitOperations.RotateRight(~crc, 15) + 0xa282ead8;
    }

    // TensorBoard reads a folder's files in the order of their names, whatever the clock did between two of them.
    private static long? LatestIn(string folder) =>
        Directory.EnumerateFiles(folder, Prefix + "*")
            .Select(file => System.IO.Path.GetFileName(file)[Prefix.Length..].Split('.')[0])
            .Select(digits => long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long at) ? at : 0)
            .Max(at => (long?)at);

    private static FileStream Create(string folder, long seconds)
    {
        for (int attempt = 0; ; ++attempt)
        {
            string name = string.Create(CultureInfo.InvariantCulture,
                $"{Prefix}{seconds:D10}.{Environment.MachineName}.{Environment.ProcessId}.{attempt}");
            string path = System.IO.Path.Combine(folder, name);
            try
            {
                return new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
            }
            catch (IOException) when (File.Exists(path))
            {
                // another log was begun in the same second
            }
        }
    }

    private void WriteValue(string tag, long step, Action<CodedOutputStream> content) =>
        WriteEvent(step, output => WriteMessage(output, EventSummary, summary =>
            WriteMessage(summary, SummaryValue, value =>
            {
                value.WriteTag(ValueTag, WireFormat.WireType.LengthDelimited);
                value.WriteString(tag);
                content(value);
            })));

    private void WriteEvent(long step, Action<CodedOutputStream> content) => WriteRecord(Message(output =>
    {
        output.WriteTag(EventWallTime, WireFormat.WireType.Fixed64);
        output.WriteDouble((_clock.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalSeconds);
        output.WriteTag(EventStep, WireFormat.WireType.Varint);
        output.WriteInt64(step);
        content(output);
    }));

    private static void WriteMessage(CodedOutputStream output, int field, Action<CodedOutputStream> content)
    {
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(UnsafeByteOperations.UnsafeWrap(Message(content)));
    }

    private static byte[] Message(Action<CodedOutputStream> content)
    {
        using var buffer = new MemoryStream();
        using (var output = new CodedOutputStream(buffer, leaveOpen: true))
        {
            content(output);
        }
        return buffer.ToArray();
    }

    /// <summary>TFRecord: length (u64), its checksum (u32), data, their checksum (u32); little-endian.</summary>
    private void WriteRecord(ReadOnlySpan<byte> data)
    {
        Span<byte> head = stackalloc byte[sizeof(ulong) + sizeof(uint)];
        BinaryPrimitives.WriteUInt64LittleEndian(head, (ulong)data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(head[sizeof(ulong)..], MaskedChecksum(head[..sizeof(ulong)]));
        Span<byte> tail = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(tail, MaskedChecksum(data));
        _stream.Write(head);
        _stream.Write(data);
        _stream.Write(tail);
    }
}
