namespace MimNative.Data;

/// <summary>
/// Finds the files that the links of an archive lead to, as they would when it is unpacked: by way of other links, of
/// links to folders, forwards and backwards in the archive.
/// </summary>
/// <remarks>
/// Where several members have the name of a target, the last one before the link is meant, as when an archive is
/// unpacked; where all come behind the link, the first. An absolute target is looked for from the archive's root.
/// </remarks>
internal sealed class TarLinks
{
    private const int MostLinks = 256;  // on the way to one file; systems allow 40
    private const int LongestPath = 1 << 13;  // systems allow 4096 bytes

    private readonly Dictionary<string, TarMember> _first = [];
    private readonly Dictionary<string, TarMember> _latest = [];

    public TarLinks(List<TarMember> members)
    {
        foreach (var member in members)
        {
            _first.TryAdd(TarText.Normalized(member.Name), member);
        }
    }

    /// <summary>Goes past a member: what follows in the archive sees it in place of earlier ones of its name.</summary>
    public void Pass(TarMember member) => _latest[TarText.Normalized(member.Name)] = member;

    /// <summary>The file that a link leads to. Where it leads to none, the answer is null, and why says so.</summary>
    public TarEntry? Follow(TarMember link, out string why)
    {
        why = $"which leads through more than {MostLinks} links";
        var walked = new List<string>();
        var ahead = new Stack<string>();
        TarMember? here = link;
        for (int links = 0; links <= MostLinks; ++links)
        {
            if (here is not { Link: not TarLink.None } turn)
            {
                why = "which is no file of the archive";
                return here?.Entry;
            }
            if (turn.Name.Length + turn.Target.Length + walked.Count + ahead.Count > LongestPath)
            {
                why = "which is too long for a path";
                return null;
            }
            Turn(turn, walked, ahead);
            here = Walk(walked, ahead);
        }
        return null;
    }

    // Along a path to the next link, or to its end; null where nothing lies there.
    private TarMember? Walk(List<string> walked, Stack<string> ahead)
    {
        TarMember? here = null;
        while (here is not { Link: not TarLink.None } && ahead.TryPop(out string? part))
        {
            TarText.Step(walked, part);
            here = Find(string.Join('/', walked));
        }
        return here;
    }

    private TarMember? Find(string name) =>
        _latest.TryGetValue(name, out var member) || _first.TryGetValue(name, out member) ? member : null;

    // From a link on: to the folder where its target begins, with the parts of the target ahead.
    private static void Turn(TarMember link, List<string> walked, Stack<string> ahead)
    {
        string[] target = link.Target.Split('/');
        walked.Clear();
        if (link.Link == TarLink.Symbolic && target[0].Length > 0)
        {
            string[] place = TarText.Normalized(link.Name).Split('/');
            walked.AddRange(place.AsSpan(0, place.Length - 1));
        }
        for (int i = target.Length; i-- > 0;)
        {
            ahead.Push(target[i]);
        }
    }
}
