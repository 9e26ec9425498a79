using MimNative.Data;

namespace MimNative.Training;

/// <summary>
/// A run's skipped.txt: the pictures that could not be decoded, one a line, name and reason with a tab between. A run that goes
/// on meets the same pictures again; each is listed once.
/// </summary>
public sealed class SkippedList
{
    private readonly string _path;
    private readonly HashSet<string> _listed;

    /// <summary>The list in a file, which is made when the first picture is added.</summary>
    public SkippedList(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        _path = path;
        _listed = [.. Names(path)];
    }

    /// <summary>The names in a list; none where there is no such file.</summary>
    public static IEnumerable<string> Names(string path) =>
        File.Exists(path) ? File.ReadLines(path).Select(line => line.Split('\t')[0]) : [];

    /// <summary>Lists a picture that is not listed yet. Calls must not overlap.</summary>
    public void Add(SkippedImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        var name = OneField(image.Name);
        if (_listed.Add(name))
        {
            File.AppendAllText(_path, $"{name}\t{OneField(image.Reason)}\n");
        }
    }

    private static string OneField(string text) => text.Replace('\t', ' ').ReplaceLineEndings(" ");
}
