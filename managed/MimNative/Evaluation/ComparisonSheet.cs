using MimNative.Recipes;
using MimNative.Runtime;

namespace MimNative.Evaluation;

/// <summary>What a sheet shows of a reconstruction.</summary>
public enum ComparedPicture
{
    /// <summary>Visible patches as they are, removed ones as predicted.</summary>
    Pasted,

    /// <summary>Every patch as predicted, visible ones too.</summary>
    Predicted,
}

/// <summary>A run and what it made of some pictures.</summary>
/// <param name="Name">The run's name.</param>
/// <param name="Recipe">The run's recipe.</param>
/// <param name="Pictures">The same pictures for every run.</param>
public sealed record ComparedRun(string Name, Recipe Recipe, IReadOnlyList<ReconstructedPicture> Pictures);

/// <summary>
/// What several runs make of the same pictures: a row for each picture; the original, what is masked, and a column for each run, under what
/// its recipe differs in. Where the runs' masks differ, each has a column of its own for what it sees.
/// </summary>
public static class ComparisonSheet
{
    // More than these do not fit above a picture; the run's name is shorter.
    private const int MostDifferences = 2;

    /// <summary>The sheet.</summary>
    /// <param name="runs">At least one, all of one picture size.</param>
    /// <param name="shown">What is shown of each run.</param>
    /// <param name="caption">The line at the bottom.</param>
    public static Image Draw(IReadOnlyList<ComparedRun> runs, ComparedPicture shown, string caption)
    {
        ArgumentNullException.ThrowIfNull(runs);
        ArgumentNullException.ThrowIfNull(caption);
        var rows = Enumerable.Range(0, runs[0].Pictures.Count).ToArray();
        var masksAgree = rows.All(row => runs.All(
            run => run.Pictures[row].Masked.Pixels.SequenceEqual(runs[0].Pictures[row].Masked.Pixels)));
        var columns = new List<(string Title, Func<int, Image> Cell)> { ("original", row => runs[0].Pictures[row].Original) };
        if (masksAgree)
        {
            columns.Add(("masked", row => runs[0].Pictures[row].Masked));
        }
        foreach (var (run, title) in runs.Zip(Titles([.. runs.Select(r => (r.Name, r.Recipe))])))
        {
            if (!masksAgree)
            {
                columns.Add(("masked\n" + title, row => run.Pictures[row].Masked));
            }
            columns.Add(($"{shown}\n{title}", row => shown == ComparedPicture.Pasted ? run.Pictures[row].Pasted : run.Pictures[row].Predicted));
        }
        SheetCell[][] cells = [.. rows.Select(row => columns.Select(c => new SheetCell(c.Cell(row))).ToArray())];
        return PictureSheet.Draw([.. columns.Select(c => c.Title)], cells, caption);
    }

    /// <summary>What tells each run from the others: the one or two settings that are not the same in all, a line each, or the run's name.</summary>
    public static IReadOnlyList<string> Titles(IReadOnlyList<(string Name, Recipe Recipe)> runs)
    {
        ArgumentNullException.ThrowIfNull(runs);
        var first = runs[0].Recipe;
        Dictionary<string, string>[] values = [.. runs.Select(r => r.Recipe.Differences(first).ToDictionary(d => d.Key, d => d.Value))];
        var defaults = runs.SelectMany(r => r.Recipe.Differences(first)).DistinctBy(d => d.Key).OrderBy(d => d.Key, StringComparer.Ordinal).ToArray();
        return defaults.Length is 0 or > MostDifferences
            ? [.. runs.Select(r => r.Name)]
            : [.. values.Select(own => string.Join('\n', defaults.Select(d => $"{d.Key}={own.GetValueOrDefault(d.Key, d.Default).Trim('"')}")))];
    }
}
