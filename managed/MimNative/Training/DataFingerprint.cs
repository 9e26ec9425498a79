using System.Globalization;
using System.Text;
using MimNative.Data;
using MimNative.Export;

namespace MimNative.Training;

/// <summary>
/// What a run remembers of its data: how many pictures there are and a hash of their names. The order of an epoch is a function of
/// the count, so a run can only go on with the same pictures.
/// </summary>
internal static class DataFingerprint
{
    private const string Count = "count", Names = "names";

    public static IReadOnlyDictionary<string, string> Of(IImageSource source)
    {
        // FNV-1a over the names in order.
        var hash = 0xcbf29ce484222325UL;
        for (var i = 0; i < source.Count; i++)
        {
            foreach (var b in Encoding.UTF8.GetBytes(source.Name(i) + "\n"))
            {
                hash = (hash ^ b) * 0x100000001b3UL;
            }
        }
        return new Dictionary<string, string>
        {
            [Count] = source.Count.ToString(CultureInfo.InvariantCulture),
            [Names] = hash.ToString("x16", CultureInfo.InvariantCulture),
        };
    }

    /// <summary>How many pictures there are; null where the fingerprint does not say.</summary>
    public static int? CountOf(IReadOnlyDictionary<string, string> data) =>
        int.TryParse(data.GetValueOrDefault(Count), NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : null;

    public static void RequireSame(IReadOnlyDictionary<string, string> then, IReadOnlyDictionary<string, string> now)
    {
        if (then.GetValueOrDefault(Count) != now[Count])
        {
            throw new InvalidFileException(
                $"the data has changed since the run began: it had {then.GetValueOrDefault(Count)} images, now there are {now[Count]}");
        }
        if (then.GetValueOrDefault(Names) != now[Names])
        {
            throw new InvalidFileException(
                $"the data has changed since the run began: there are {now[Count]} images as before, but their names differ");
        }
    }
}
