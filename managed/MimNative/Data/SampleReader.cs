using System.Collections.Concurrent;
using MimNative.Runtime;

namespace MimNative.Data;

/// <summary>
/// Makes the view for a position of an epoch. A picture that cannot be decoded is skipped and another stands in for it,
/// by a rule that depends only on which pictures are bad, never on time or threads.
/// </summary>
/// <remarks>
/// The rule: position p of an epoch of n samples shows the first good one of the positions p, p + s, p + 2s, ... (mod
/// n), where s is the smallest number from the batch size up that has no divisor in common with n. So the stand-in
/// comes from another batch as a rule, and every sample is tried once before it is an error that none is good.
/// </remarks>
internal sealed class SampleReader
{
    private readonly IImageSource _source;
    private readonly ITransform _transform;
    private readonly long _seed;
    private readonly long _stride;
    private readonly bool _strict;
    private readonly Action<SkippedImage>? _report;
    private readonly Lock _reporting = new();
    private readonly ConcurrentDictionary<int, SkippedImage> _bad = new();

    public SampleReader(IImageSource source, ITransform transform, LoaderOptions options)
    {
        (_source, _transform, _seed) = (source, transform, options.Seed);
        (_strict, _report) = (options.Strict, options.Skipped);
        _stride = options.BatchSize;
        while (CommonDivisor(_stride, source.Count) != 1)
        {
            ++_stride;
        }
    }

    /// <summary>The pictures skipped so far.</summary>
    public ICollection<SkippedImage> Bad => _bad.Values;

    /// <summary>How many pictures were skipped so far.</summary>
    public int BadCount => _bad.Count;

    /// <summary>Fills pixels with the view for a position, and says which sample it shows.</summary>
    public int Read(EpochOrder order, long position, Workspace workspace, Span<byte> pixels)
    {
        for (long tried = 0; tried < order.Count; ++tried)
        {
            int sample = (int)order[(position + tried * _stride) % order.Count];
            if (!_bad.ContainsKey(sample) && TryRead(sample, order.Epoch, workspace, pixels))
            {
                return sample;
            }
        }
        var first = _bad.Values.MinBy(bad => bad.Sample)!;
        throw new InvalidDataException(
            $"None of the {order.Count} pictures can be decoded; the first is '{first.Name}': " +
            first.Reason);
    }

    private bool TryRead(int sample, long epoch, Workspace workspace, Span<byte> pixels)
    {
        string? reason = TryDecode(sample, workspace.Bytes, out var image);
        if (image is null)
        {
            Skip(sample, reason!);
            return false;
        }
        using (image)
        {
            Ops.RandomUniform(workspace.Uniforms, first: 0, sample, RandomStream.Crop, epoch, _seed);
            _transform.Apply(image, workspace.Uniforms, pixels);
            return true;
        }
    }

    // Only what lies in the one file is a reason to skip it. A failing disk or network is an error: to skip whatever it
    // could not deliver would quietly train on fewer pictures.
    private string? TryDecode(int sample, ByteBuffer buffer, out Image? image)
    {
        image = null;
        try
        {
            var bytes = _source.ReadBytes(sample, buffer);
            if (bytes.IsEmpty)
            {
                return "the file is empty";
            }
            image = Image.Decode(bytes);
            return null;
        }
        catch (MimException error) when (error.Status is MimStatus.CorruptData or MimStatus.InvalidArgument
                                             or MimStatus.Unsupported)
        {
            return error.Message;
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException
                                          or UnauthorizedAccessException)
        {
            return error.Message;
        }
    }

    private void Skip(int sample, string reason)
    {
        var skipped = new SkippedImage(sample, _source.Name(sample), reason);
        if (_strict)
        {
            throw new InvalidDataException($"The picture '{skipped.Name}' cannot be decoded: {reason}");
        }
        if (_bad.TryAdd(sample, skipped) && _report is not null)
        {
            lock (_reporting)
            {
                _report(skipped);
            }
        }
    }

    private static long CommonDivisor(long a, long b)
    {
        while (b != 0)
        {
            (a, b) = (b, a % b);
        }
        return a;
    }

    /// <summary>What one worker uses again for every picture.</summary>
    public sealed class Workspace(ITransform transform)
    {
        public ByteBuffer Bytes { get; } = new();

        public float[] Uniforms { get; } = new float[transform.UniformCount];
    }
}
