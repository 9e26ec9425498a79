namespace MimNative.Runtime;

/// <summary>Finds the name that somebody who mistyped one most likely meant.</summary>
internal static class NearestName
{
    /// <summary>
    /// The candidate with the smallest edit distance to <paramref name="name"/>, or null when every
    /// one is further away than a third of its length. Ties go to the earlier candidate.
    /// </summary>
    public static string? Of(string name, IEnumerable<string> candidates)
    {
        string? nearest = null;
        int limit = Math.Max(2, name.Length / 3);
        foreach (string candidate in candidates)
        {
            // the difference in length is a lower bound of the distance
            if (Math.Abs(candidate.Length - name.Length) > limit)
            {
                continue;
            }
            int distance = Distance(name, candidate);
            if (distance <= limit && distance < candidate.Length)
            {
                nearest = candidate;
                limit = distance - 1;
            }
        }
        return nearest;
    }

    /// <summary>The end of a sentence about an unknown name: "; did you mean 'x'?" or a full stop.</summary>
    public static string Question(string name, IEnumerable<string> candidates) =>
        Of(name, candidates) is { } nearest ? $"; did you mean '{nearest}'?" : ".";

    /// <summary>Levenshtein distance without regard to case.</summary>
    private static int Distance(string a, string b)
    {
        // above[j] is the distance between the first i-1 letters of a and the first j of b
        var above = new int[b.Length + 1];
        var row = new int[b.Length + 1];
        for (int j = 0; j <= b.Length; ++j)
        {
            above[j] = j;
        }
        for (int i = 1; i <= a.Length; ++i)
        {
            row[0] = i;
            for (int j = 1; j <= b.Length; ++j)
            {
                bool same = char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]);
                int changed = above[j - 1] + (same ? 0 : 1);
                row[j] = Math.Min(changed, 1 + Math.Min(above[j], row[j - 1]));
            }
            (above, row) = (row, above);
        }
        return above[b.Length];
    }
}
