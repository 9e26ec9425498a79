using System.Text.Json;
using System.Text.Json.Serialization;
using MimNative.Data;
using MimNative.Export;
using MimNative.Runtime;
using MimNative.Training;

namespace MimNative.Evaluation.Sweeps;

/// <summary>What a sweep's folder remembers of it, so that it goes on only as it began.</summary>
internal sealed record SweepRecord(
    string Grid, int Steps, IReadOnlyDictionary<string, string> Data, IReadOnlyDictionary<string, string> RecipeHashes);

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SweepRecord))]
internal sealed partial class SweepRecordJson : JsonSerializerContext;

/// <summary>
/// A sweep on disk: <c>sweep.json</c>, which says what it is, a run folder for each cell, and <c>results.json</c>, <c>results.csv</c> and
/// <c>results.png</c>.
/// </summary>
public sealed class SweepFolder
{
    private const string RecordFile = "sweep.json";

    private SweepFolder(string path, SweepPlan plan) => (Path, Plan) = (path, plan);

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>The sweep.</summary>
    public SweepPlan Plan { get; }

    /// <summary>A new sweep, or the one that the folder holds, if it is the same.</summary>
    /// <exception cref="ArgumentException">The folder holds another sweep, or something else.</exception>
    /// <exception cref="InvalidFileException">Its record is damaged, or its pictures were others.</exception>
    public static SweepFolder Open(string path, SweepPlan plan, IImageSource source, string dataPath)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var folder = new SweepFolder(path, plan);
        var now = new SweepRecord(
            plan.Grid.ToString(), plan.Steps, DataFingerprint.Of(source),
            plan.Cells.Where(c => c.Recipe is not null).ToDictionary(c => c.Name, c => c.Recipe!.Hash()));
        var file = folder.In(RecordFile);
        if (File.Exists(file))
        {
            folder.RequireSame(Read(file), now);
            return folder;
        }
        if (Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any())
        {
            throw new ArgumentException($"'{path}' is not empty and holds no sweep; choose another folder");
        }
        RunFolder.RequireOutside(path, dataPath);
        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            throw new IOException($"the sweep's folder '{path}' cannot be written: {DiskFailure.Reason(e)}", e);
        }
        var json = JsonSerializer.SerializeToUtf8Bytes(now, SweepRecordJson.Default.SweepRecord);
        AtomicFile.Write(file, stream => stream.Write([.. json, (byte)'\n']));
        return folder;
    }

    /// <summary>A cell's run folder.</summary>
    public string Of(SweepCell cell)
    {
        ArgumentNullException.ThrowIfNull(cell);
        return In(cell.Name);
    }

    /// <summary>Writes one of the files beside the cells.</summary>
    public void Write(string name, ReadOnlySpan<byte> content)
    {
        var bytes = content.ToArray();
        AtomicFile.Write(In(name), stream => stream.Write(bytes));
    }

    /// <summary>A path in the folder.</summary>
    public string In(string name) => System.IO.Path.Combine(Path, name);

    private static SweepRecord Read(string file)
    {
        try
        {
            var record = JsonSerializer.Deserialize(File.ReadAllBytes(file), SweepRecordJson.Default.SweepRecord);
            return record is { Grid: not null, Data: not null, RecipeHashes: not null }
                ? record
                : throw new InvalidFileException(file, "the record of a sweep is incomplete");
        }
        catch (JsonException e)
        {
            throw new InvalidFileException($"{file}: the record of a sweep is not valid JSON: {e.Message}", e);
        }
    }

    private void RequireSame(SweepRecord then, SweepRecord now)
    {
        if (then.Grid != now.Grid)
        {
            throw new ArgumentException(
                $"'{Path}' holds a sweep of another grid, --grid \"{then.Grid}\"; go on with that one, or choose another folder");
        }
        if (then.Steps != now.Steps)
        {
            throw new ArgumentException(
                $"'{Path}' holds a sweep of {then.Steps} steps a cell, but --steps is {now.Steps}; go on with that, or choose another folder");
        }
        DataFingerprint.RequireSame(then.Data, now.Data);
        foreach (var cell in Plan.Cells.Where(c => then.RecipeHashes.GetValueOrDefault(c.Name) != now.RecipeHashes.GetValueOrDefault(c.Name)))
        {
            throw new ArgumentException(
                $"'{Path}' holds a sweep of another recipe: {Change(cell)}; go on with that one, or choose another folder");
        }
    }

    private string Change(SweepCell cell)
    {
        var unknown = $"cell {cell.Name} has changed";
        if (cell.Recipe is null || !File.Exists(System.IO.Path.Combine(Of(cell), "recipe.json")))
        {
            return unknown;
        }
        var differences = cell.Recipe.Differences(RunFolder.Open(Of(cell)).Recipe);
        return differences.Count == 0 ? unknown : $"{differences[0].Key} was {differences[0].Default} and is {differences[0].Value}";
    }
}
