using System.Collections.Concurrent;
using MimNative.Runtime;

namespace MimNative.Data;

/// <summary>
/// Makes the view of a sample. Where its picture cannot be decoded another one stands in for it, by a rule that depends only on which
/// pictures are bad: never on batches, time or threads.
/// </summary>
/// <remarks>
/// The stand-in is the first good one of <see cref="StandIns"/>; where there is none, that is an error. It is seen with the crop (and, see
/// <see cref="ImageBatch.Keys"/>, the mask) that the sample itself would have had, so an epoch that shows a picture twice does not show
/// the same view twice.
/// </remarks>
internal sealed class SampleReader
{
    private readonly IImageSource _source;
    private readonly ITransform _transform;
    private readonly long _seed;
    private readonly bool _strict;
    private readonly Action<SkippedImage>? _report;
    private readonly Lock _reporting = new();
    private readonly ConcurrentDictionary<int, SkippedImage> _bad = new();

    public SampleReader(IImageSource source, ITransform transform, LoaderOptions options)
    {
        (_source, _transform, _seed) = (source, transform, options.Seed);
        (_strict, _report) = (options.Strict, options.Skipped);
    }

    /// <summary>The pictures skipped so far.</summary>
    public ICollection<SkippedImage> Bad => _bad.Values;

    /// <summary>How many pictures were skipped so far.</summary>
    public int BadCount => _bad.Count;

    /// <summary>Fills pixels with the view of a sample, and says which picture it shows.</summary>
    public int Read(int sample, long epoch, Workspace workspace, Span<byte> pixels)
    {
        Ops.RandomUniform(workspace.Uniforms, first: 0, sample, RandomStream.Crop, epoch, _seed);
        if (TryShow(sample, workspace, pixels))
        {
            return sample;
        }
        var standIns = new StandIns(_source.Count, _seed, epoch, sample);
        for (int tried = 0; tried < _source.Count; ++tried)
        {
            int other = standIns[tried];
            if (TryShow(other, workspace, pixels))
            {
                return other;
            }
        }
        var first = _bad.Values.MinBy(bad => bad.Sample)!;
        throw new InvalidDataException(
            $"None of the {_source.Count} pictures can be decoded; the first is '{first.Name}': " +
            first.Reason);
    }

    private bool TryShow(int sample, Workspace workspace, Span<byte> pixels)
    {
        if (_bad.ContainsKey(sample))
        {
            return false;
        }
        string? reason = TryDecode(sample, workspace.Bytes, out var image);
        if (image is null)
        {
            Skip(sample, reason!);
            return false;
        }
        using (image)
        {
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

    /// <summary>What one worker uses again for every picture.</summary>
    public sealed class Workspace(ITransform transform)
    {
        public ByteBuffer Bytes { get; } = new();

        public float[] Uniforms { get; } = new float[transform.UniformCount];
    }
}
