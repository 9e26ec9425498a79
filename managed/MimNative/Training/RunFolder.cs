using System.Text;
using MimNative.Data;
using MimNative.Export;
using MimNative.Recipes;
using MimNative.Runtime;

namespace MimNative.Training;

/// <summary>
/// A run on disk: <c>recipe.json</c> (complete), <c>data.txt</c> (where the pictures are), <c>checkpoints/</c>,
/// <c>metrics.jsonl</c>, TensorBoard events, <c>sheets/</c>, <c>skipped.txt</c> where pictures could not be decoded, and
/// <c>run.lock</c>, which a process holds while it trains.
/// </summary>
public sealed class RunFolder
{
    private const string RecipeFile = "recipe.json";
    private const string DataFile = "data.txt";
    private const string SheetExtension = ".png";

    private RunFolder(string path, Recipe recipe) => (Path, Recipe) = (path, recipe);

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>The complete recipe.</summary>
    public Recipe Recipe { get; }

    /// <summary>Where the complete recipe is.</summary>
    public string RecipePath => In(RecipeFile);

    /// <summary>Where the pictures are.</summary>
    /// <exception cref="InvalidFileException">The file that says so is missing or empty.</exception>
    public string DataPath =>
        File.Exists(In(DataFile)) && DataLocation.FromLine(File.ReadAllBytes(In(DataFile))) is { } path
            ? path
            : throw new InvalidFileException(
                In(DataFile), "missing or empty, so it is not known where the pictures are; say it with --data");

    /// <summary>Where the metrics of every step are.</summary>
    public string MetricsFile => In("metrics.jsonl");

    /// <summary>Where the reconstruction sheets are.</summary>
    public string SheetsFolder => In("sheets");

    /// <summary>Where skipped pictures are listed.</summary>
    public string SkippedFile => In("skipped.txt");

    /// <summary>The newest checkpoint; null where there is none.</summary>
    public Checkpoint? Latest => Checkpoints().Latest();

    /// <summary>A new run.</summary>
    /// <param name="path">The folder to make.</param>
    /// <param name="recipe">The complete recipe.</param>
    /// <param name="dataPath">Where the pictures are.</param>
    /// <exception cref="ArgumentException">The folder holds a run already, or lies among the pictures.</exception>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public static RunFolder Create(string path, Recipe recipe, string dataPath)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        var run = new RunFolder(path, recipe);
        if (File.Exists(run.In(RecipeFile)))
        {
            throw new ArgumentException($"'{path}' holds a run already; continue it with --resume {path}, or choose another folder");
        }
        RequireOutside(path, dataPath);
        try
        {
            Directory.CreateDirectory(path);
            run.MoveData(dataPath);
            AtomicFile.Write(run.In(RecipeFile), stream => stream.Write(Encoding.UTF8.GetBytes(recipe.ToJson() + "\n")));
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            throw new IOException($"the run folder '{path}' cannot be written: {DiskFailure.Reason(e)}", e);
        }
        return run;
    }

    /// <summary>Remembers where the pictures are now.</summary>
    public void MoveData(string dataPath) => AtomicFile.Write(In(DataFile), stream => stream.Write(DataLocation.ToLine(dataPath)));

    /// <summary>A run that is there.</summary>
    /// <exception cref="InvalidFileException">The folder holds no run.</exception>
    public static RunFolder Open(string path)
    {
        var file = System.IO.Path.Combine(path, RecipeFile);
        return File.Exists(file)
            ? new RunFolder(path, Recipe.FromJson(File.ReadAllText(file), file))
            : throw new InvalidFileException($"'{path}' holds no run: there is no {RecipeFile} in it");
    }

    /// <summary>The run's checkpoints.</summary>
    public CheckpointStore Checkpoints(int keepLast = 2, long keepEvery = 0) => Checkpoints(keepLast, keepEvery, create: null);

    /// <summary>The model with the weights of the newest checkpoint.</summary>
    /// <exception cref="InvalidFileException">There is no checkpoint, or it is damaged.</exception>
    public Model LoadModel(Context context)
    {
        var checkpoint = Latest ?? throw new InvalidFileException($"the run '{Path}' has no checkpoint yet");
        var model = new Model(Recipe, context);
        try
        {
            using var file = checkpoint.OpenModel();
            model.Load(file);
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    internal CheckpointStore Checkpoints(int keepLast, long keepEvery, Func<string, Stream>? create) =>
        new(In("checkpoints"), keepLast, keepEvery, create);

    /// <summary>Throws where a folder that will hold a run's own pictures lies among those that it learns from.</summary>
    internal static void RequireOutside(string path, string dataPath)
    {
        if (DataLocation.Covers(dataPath, path, SheetExtension))
        {
            throw new ArgumentException(
                Directory.Exists(dataPath)
                    ? $"the run folder '{path}' lies inside the pictures' folder '{dataPath}', where the run's own pictures would become " +
                      "data; choose another folder"
                    : $"the run folder '{path}' lies where '{dataPath}' finds pictures, so the run's own would become data; choose another " +
                      "folder, or another pattern");
        }
    }

    private string In(string name) => System.IO.Path.Combine(Path, name);
}
