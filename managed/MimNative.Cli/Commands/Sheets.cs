using MimNative.Data;
using MimNative.Evaluation;
using MimNative.Runtime;
using MimNative.Training;

namespace MimNative.Cli.Commands;

/// <summary>Reconstruction sheets of a data source.</summary>
internal static class Sheets
{
    /// <summary>The sheet of pictures spread evenly over the data; null where none of them can be decoded.</summary>
    public static Image? OfData(Model model, IImageSource source, int rows, StatisticsSource statistics)
    {
        using var reconstructor = new Reconstructor(model);
        var pictures = new List<ReconstructedPicture>();
        try
        {
            for (var i = 0; i < Math.Min(rows, source.Count); i++)
            {
                var sample = (int)((long)i * source.Count / rows);
                if (TryDecode(source, sample) is not { } picture)
                {
                    continue;
                }
                using (picture)
                {
                    using var view = PictureView.Of(picture, model.Recipe);
                    pictures.Add(reconstructor.Reconstruct(
                        view.Image, reconstructor.RandomMask(seed: 0, sample), statistics));
                }
            }
            return pictures.Count == 0 ? null : ReconstructionSheet.Draw(pictures, reconstructor.Caption(statistics));
        }
        finally
        {
            pictures.ForEach(p => p.Dispose());
        }
    }

    private static Image? TryDecode(IImageSource source, int sample)
    {
        try
        {
            return Image.Decode(source.ReadBytes(sample, new ByteBuffer()));
        }
        catch (Exception e) when (e is MimException { Status: MimStatus.CorruptData } or IOException)
        {
            return null;  // the loader counts it and lists it
        }
    }
}
