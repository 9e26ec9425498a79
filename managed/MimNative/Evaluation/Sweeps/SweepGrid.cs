using MimNative.Recipes;

namespace MimNative.Evaluation.Sweeps;

/// <summary>A key of a recipe and the values that it takes.</summary>
public sealed record SweepAxis(string Key, IReadOnlyList<string> Values);

/// <summary>
/// What is tried: every combination of the values of some keys, as text <c>mask.patch=8,16,32;mask.ratio=0.4,0.6</c>. A comma inside
/// brackets belongs to a value: <c>encoder.depths=[2,2],[2,4]</c>.
/// </summary>
public sealed class SweepGrid
{
    /// <summary>Beyond it nobody waits for the end.</summary>
    private const int MostCells = 1000;

    private SweepGrid(IReadOnlyList<SweepAxis> axes) => Axes = axes;

    /// <summary>The keys; the first one changes slowest.</summary>
    public IReadOnlyList<SweepAxis> Axes { get; }

    /// <summary>Reads a grid.</summary>
    /// <exception cref="FormatException">It is none; the sentence says what was expected.</exception>
    /// <exception cref="RecipeException">A recipe has no such key, or the key cannot hold a value.</exception>
    public static SweepGrid Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var axes = new List<SweepAxis>();
        foreach (var part in text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            var key = equals < 1 ? "" : part[..equals].Trim();
            string[] values = equals < 1 ? [] : [.. Values(part[(equals + 1)..]).Select(v => v.Trim())];
            if (key.Length == 0 || values.Any(v => v.Length == 0))
            {
                throw new FormatException($"--grid has the part '{part}', expected KEY=VALUE,VALUE,... as in mask.patch=8,16,32");
            }
            if (values.GroupBy(v => v, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
            {
                throw new FormatException($"--grid has {key}={twice.Key} twice, expected different values");
            }
            if (axes.Any(a => a.Key == key))
            {
                throw new FormatException($"--grid has the key {key} twice, expected all of its values in one place");
            }
            Require(key, values);
            axes.Add(new SweepAxis(key, values));
        }
        if (axes.Count == 0)
        {
            throw new FormatException("--grid is empty, expected KEY=VALUE,VALUE,...;KEY=... as in mask.patch=8,16,32;mask.ratio=0.4,0.6");
        }
        var cells = axes.Aggregate(1.0, (product, axis) => product * axis.Values.Count);
        return cells <= MostCells
            ? new SweepGrid(axes)
            : throw new FormatException($"--grid has {cells:0} cells, expected at most {MostCells}");
    }

    /// <summary>Every combination, a value for each key; the last key changes fastest.</summary>
    public IEnumerable<IReadOnlyList<string>> Cells()
    {
        IEnumerable<IReadOnlyList<string>> cells = [[]];
        foreach (var axis in Axes)
        {
            cells = cells.SelectMany(cell => axis.Values.Select(value => (IReadOnlyList<string>)[.. cell, value]));
        }
        return cells;
    }

    /// <summary>The grid as it is written.</summary>
    public override string ToString() => string.Join(';', Axes.Select(a => $"{a.Key}={string.Join(',', a.Values)}"));

    private static IEnumerable<string> Values(string text)
    {
        int depth = 0, begin = 0;
        for (var i = 0; i < text.Length; i++)
        {
            depth += text[i] == '[' ? 1 : text[i] == ']' ? -1 : 0;
            if (text[i] == ',' && depth == 0)
            {
                yield return text[begin..i];
                begin = i + 1;
            }
        }
        yield return text[begin..];
    }

    // Whether each value by itself is one that the key can hold; what goes together is a cell's question.
    private static void Require(string key, string[] values)
    {
        if (key is "name" or "description" or "train.epochs")
        {
            throw new FormatException($"--grid cannot vary {key}{(key == "train.epochs" ? ", which follows from --steps" : "")}");
        }
        foreach (var value in values)
        {
            try
            {
                RecipeLayer.OfSettings([$"{key}={value}"]);
            }
            catch (RecipeException wrong)
            {
                throw new RecipeException(wrong.Message.Replace("--set ", "--grid ", StringComparison.Ordinal), wrong);
            }
        }
    }
}
