namespace MimNative.Data;

/// <summary>What a reader of an archive should know, counted while it is read and told in a sentence each.</summary>
internal sealed class TarFindings(string archive)
{
    /// <summary>
    /// How many zeros a sparse picture may have that are not stored. A picture has few; an archive of a few hundred
    /// bytes that expands to gigabytes must not take the memory of every thread that reads.
    /// </summary>
    public const long MostHoles = 1 << 28;

    private readonly HashSet<string> _names = [];
    private readonly HashSet<string> _repeated = [];
    private Tally _lostLinks, _continued, _tooLarge;
    private string? _firstRepeated;

    /// <summary>The archive has not a single header.</summary>
    public bool IsEmpty { get; set; }

    /// <summary>Bytes behind the end that are no members: where they begin, how many, and what they look like.</summary>
    public (long At, long Count, string? Kind) Behind { get; set; }

    /// <summary>A link to a picture that leads to no file.</summary>
    public void AddLost(TarMember link, string why) => _lostLinks.Add($"'{link.Name}' to '{link.Target}', {why}");

    /// <summary>A file of which only a later part is here.</summary>
    public void AddContinued(string name)
    {
        if (ImageNames.IsImage(name))
        {
            _continued.Add($"'{name}'");
        }
    }

    /// <summary>Whether a picture can be used, for its size. Its name is compared with those before it.</summary>
    public bool Accepts(TarEntry picture)
    {
        if (picture.Size > Array.MaxLength || picture.Map is { Holes: > MostHoles })
        {
            _tooLarge.Add($"'{picture.Name}' with {picture.Size} bytes");
            return false;
        }
        string name = TarText.Normalized(picture.Name);
        if (!_names.Add(name) && _repeated.Add(name))
        {
            _firstRepeated ??= name;
        }
        return true;
    }

    public IEnumerable<string> Sentences()
    {
        if (IsEmpty)
        {
            yield return $"The tar archive '{archive}' is empty: there is no header in it.";
        }
        if (_lostLinks.Count > 0)
        {
            yield return In + Say(_lostLinks.Count, "link to a picture leads", "links to pictures lead") +
                         $" to no file and had to be left out; the first is {_lostLinks.First}.";
        }
        if (_continued.Count > 0)
        {
            yield return In + Say(_continued.Count, "picture is", "pictures are") +
                         " left out, because the beginning lies in another volume; " +
                         $"the first is {_continued.First}. Unpack the volumes with tar --multi-volume.";
        }
        if (_tooLarge.Count > 0)
        {
            yield return In + Say(_tooLarge.Count, "picture is", "pictures are") +
                         $" too large and left out; the first is {_tooLarge.First}. " +
                         $"A picture may have {Array.MaxLength} bytes, a sparse one {MostHoles} of them in holes.";
        }
        if (_repeated.Count > 0)
        {
            yield return In + Say(_repeated.Count, "name of a picture is", "names of pictures are") +
                         $" there more than once; the first is '{_firstRepeated}'. Each of these pictures is used.";
        }
        if (Behind.Count > 0)
        {
            string kind = Behind.Kind is null ? "" : $" They begin like {Behind.Kind}.";
            yield return In + Say(Behind.Count, "byte behind the end is", "bytes behind the end are") +
                         $" no part of an archive and left out, from byte {Behind.At} on.{kind}";
        }
    }

    private string In => $"In the tar archive '{archive}', ";

    private static string Say(long count, string one, string many) => $"{count} {(count == 1 ? one : many)}";

    private struct Tally
    {
        public int Count { get; private set; }

        public string? First { get; private set; }

        public void Add(string what)
        {
            ++Count;
            First ??= what;
        }
    }
}
