using System.Globalization;
using System.Text.RegularExpressions;

namespace MimNative.Data;

/// <summary>
/// What a pattern with braces stands for, as in shells and in WebDataset: {000..003} counts (with as many digits, and {0..9..3} in
/// steps; {a..c} too), {train,val} lists. Braces that do neither stay as they are.
/// </summary>
internal static partial class Braces
{
    /// <summary>The most patterns that one may stand for.</summary>
    public const int Most = 1_000_000;

    /// <summary>
    /// One list for each member of the ranges, of the alternatives that the pattern's lists leave open: "{0..1}.{jpg,png}" is two
    /// members of two alternatives each.
    /// </summary>
    /// <exception cref="InvalidDataException">They are too many.</exception>
    public static IReadOnlyList<IReadOnlyList<string>> Expand(string pattern)
    {
        int left = Most;
        var tooMany = new InvalidDataException($"'{pattern}' stands for more than {Most:N0} names.");
        if (Range().Matches(pattern).Aggregate(1L, (count, range) => Math.Min(count * Count(range), int.MaxValue)) > left)
        {
            throw tooMany;
        }
        var members = new List<IReadOnlyList<string>>();
        foreach (string member in Members(pattern))
        {
            members.Add([.. Alternatives(member).Take(left + 1)]);
            left -= members[^1].Count;
            if (left < 0)
            {
                throw tooMany;
            }
        }
        return members;
    }

    private static IEnumerable<string> Members(string text)
    {
        var range = Range().Match(text);
        if (!range.Success)
        {
            return [text];
        }
        string before = text[..range.Index];
        var tails = Members(text[(range.Index + range.Length)..]).ToList();
        return Values(range).SelectMany(value => tails.Select(tail => before + value + tail));
    }

    private static long Count(Match range)
    {
        var (first, last, step) = Bounds(range);
        return Math.Abs(last - first) / step + 1;
    }

    private static IEnumerable<string> Values(Match range)
    {
        var (first, last, step) = Bounds(range);
        bool isLetters = range.Groups["letter"].Success;
        string[] ends = [range.Groups["first"].Value, range.Groups["last"].Value];
        bool isPadded = ends.Any(end => end.TrimStart('-') is { Length: > 1 } digits && digits[0] == '0');
        int width = isPadded ? ends.Max(end => end.Length) : 0;
        for (long i = 0; i < Count(range); ++i)
        {
            long value = first + (last < first ? -i : i) * step;
            int digits = value < 0 ? width - 1 : width;
            yield return isLetters ? ((char)value).ToString() : value.ToString($"D{Math.Max(digits, 0)}", CultureInfo.InvariantCulture);
        }
    }

    private static (long First, long Last, long Step) Bounds(Match range)
    {
        long step = range.Groups["step"].Success ? Math.Max(1, Math.Abs(Number(range.Groups["step"]))) : 1;
        return range.Groups["letter"].Success
            ? (range.Groups["letter"].Value[0], range.Groups["end"].Value[0], step)
            : (Number(range.Groups["first"]), Number(range.Groups["last"]), step);
    }

    private static long Number(Group digits) => long.Parse(digits.Value, CultureInfo.InvariantCulture);

    private static IEnumerable<string> Alternatives(string text)
    {
        for (int open = text.IndexOf('{'); open >= 0; open = text.IndexOf('{', open + 1))
        {
            if (Parts(text, open, out int close) is { Count: > 1 } parts)
            {
                string before = text[..open], after = text[(close + 1)..];
                return parts.SelectMany(part => Alternatives(part + after)).Select(rest => before + rest);
            }
        }
        return [text];
    }

    // What lies between the commas of the group that begins at open; none where it does not end.
    private static List<string> Parts(string text, int open, out int close)
    {
        var parts = new List<string>();
        int depth = 0, start = open + 1;
        for (close = open; close < text.Length; ++close)
        {
            depth += text[close] == '{' ? 1 : text[close] == '}' ? -1 : 0;
            if (depth == 0 || (depth == 1 && text[close] == ','))
            {
                parts.Add(text[start..close]);
                start = close + 1;
            }
            if (depth == 0)
            {
                return parts;
            }
        }
        return [];
    }

    [GeneratedRegex(@"\{(?:(?<first>-?\d{1,9})\.\.(?<last>-?\d{1,9})|(?<letter>[a-z])\.\.(?<end>[a-z])|(?<letter>[A-Z])\.\.(?<end>[A-Z]))" +
                    @"(?:\.\.(?<step>-?\d{1,9}))?\}")]
    private static partial Regex Range();
}
