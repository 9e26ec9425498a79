using System.Text;
using System.Text.RegularExpressions;
using MimNative.Runtime;

namespace MimNative.Data;

/// <summary>
/// A pattern of relative paths as shells know it: * for any characters of one name, ? for one, [a-z] and [!a-z] for one of some or of
/// all others, ** for any number of folders. What lies in a folder that matches, matches.
/// </summary>
internal sealed class Glob
{
    private readonly string _last;
    private readonly Regex?[] _segments;  // null for **

    public Glob(string pattern)
    {
        // "x/*/" asks for folders: for what is in them
        string[] segments = [.. (pattern.EndsWith('/') ? pattern + "**" : pattern).Split('/', StringSplitOptions.RemoveEmptyEntries)];
        _segments = [.. segments.Select(segment => segment == "**" ? null : Translate(segment))];
        _last = segments[^1];
    }

    /// <summary>True where a name has a character that this makes a pattern.</summary>
    public static bool HasWildcard(string name) => name.AsSpan().IndexOfAny('*', '?', '[') >= 0;

    /// <summary>True once a file has matched.</summary>
    public bool HasMatched { get; private set; }

    /// <summary>True for the relative path of a file that the pattern stands for.</summary>
    public bool Matches(string file)
    {
        bool matches = Agrees(file.Split('/'), 0, isFolder: false);
        HasMatched |= matches;
        return matches;
    }

    /// <summary>True where a file below a folder may match: with some ending, or any.</summary>
    public bool MayMatchBelow(string folder, string? extension = null) =>
        Agrees(folder.Length == 0 ? [] : folder.Split('/'), 0, isFolder: true) && (extension is null || MayEndIn(extension));

    // at: the segment that the first name is compared with. A folder's names may go on.
    private bool Agrees(ReadOnlySpan<string> names, int at, bool isFolder) =>
        at == _segments.Length ||
        (names.IsEmpty ? isFolder
        : _segments[at] is { } segment ? segment.IsMatch(names[0]) && Agrees(names[1..], at + 1, isFolder)
        : Agrees(names, at + 1, isFolder) || Agrees(names[1..], at, isFolder));

    private bool MayEndIn(string extension)
    {
        string mine = Path.GetExtension(_last);
        return mine.Length == 0 || HasWildcard(mine) || mine.Equals(extension, StringComparison.OrdinalIgnoreCase);
    }

    private static Regex Translate(string segment)
    {
        var regex = new StringBuilder("^");
        for (int i = 0; i < segment.Length; ++i)
        {
            int close = segment[i] == '[' ? segment.IndexOf(']', Math.Min(i + (IsNegated(segment, i) ? 3 : 2), segment.Length)) : -1;
            if (close > 0)
            {
                int start = i + (IsNegated(segment, i) ? 2 : 1);
                string set = segment[start..close].Replace("\\", "\\\\").Replace("[", "\\[").Replace("]", "\\]").Replace("^", "\\^");
                regex.Append(IsNegated(segment, i) ? "[^" : "[").Append(set).Append(']');
                i = close;
                continue;
            }
            regex.Append(segment[i] switch
            {
                '*' => ".*",
                '?' => "(?:[\uD800-\uDBFF][\uDC00-\uDFFF]|.)",  // one character, though .NET may need two for it
                '\uFFFD' => "[\uDC80-\uDCFF\uFFFD]+",           // odd bytes that were lost on the way here, see PathBytes
                var literal => Regex.Escape(literal.ToString()),
            });
        }
        // Linux tells a.jpg from A.jpg, other systems do not
        var options = OperatingSystem.IsLinux() ? RegexOptions.None : RegexOptions.IgnoreCase;
        try
        {
            return new Regex(regex.Append("\\z").ToString(), options | RegexOptions.Singleline | RegexOptions.CultureInvariant);
        }
        catch (RegexParseException error)
        {
            throw new InvalidDataException($"'{segment}' is no pattern: a range in its [...] runs backwards.", error);
        }
    }

    private static bool IsNegated(string segment, int open) => open + 1 < segment.Length && segment[open + 1] is '!' or '^';
}
