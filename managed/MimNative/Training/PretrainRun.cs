using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MimNative.Data;
using MimNative.Export;
using MimNative.Recipes;
using MimNative.Runtime;

namespace MimNative.Training;

/// <summary>How often a run writes.</summary>
public sealed record RunSettings
{
    /// <summary>Steps between checkpoints; 0 for one at the end of every epoch.</summary>
    public long CheckpointEvery { get; init; }

    /// <summary>How many of the newest checkpoints are kept.</summary>
    public int KeepLast { get; init; } = 2;

    /// <summary>Checkpoints of steps divisible by it are kept for ever; 0 for none.</summary>
    public long KeepEvery { get; init; }

    /// <summary>The run stops, saved, after this step; 0 for all its epochs. The schedule is that of all epochs.</summary>
    public long StopAfter { get; init; }

    /// <summary>Told of the run's beginning, what is unusual about its recipe, its checkpoints, and the pictures that are skipped.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>For tests: opens the files of checkpoints and may let them fail.</summary>
    internal Func<string, Stream>? CreateFile { get; init; }
}

/// <summary>
/// A run in its folder: the loop, its metrics, its checkpoints. A new run begins from initial weights; an existing one goes on
/// from its newest checkpoint, bit for bit.
/// </summary>
public sealed class PretrainRun : IDisposable
{
    private readonly RunSettings _settings;
    private readonly RunLock _lock;
    private readonly CheckpointStore _checkpoints;
    private readonly RunMetrics _metrics;
    private readonly IReadOnlyDictionary<string, string> _data;
    private long _saved;

    /// <summary>Prepares a run: the model and its data are ready, memory is planned, nothing is computed yet.</summary>
    /// <param name="folder">The run's folder.</param>
    /// <param name="source">The pictures.</param>
    /// <param name="context">The device.</param>
    /// <param name="pretrain">Settings of the loop.</param>
    /// <param name="settings">How often the run writes.</param>
    /// <exception cref="InvalidFileException">The newest checkpoint is damaged, or belongs to other data.</exception>
    public PretrainRun(
        RunFolder folder, IImageSource source, Context context, PretrainSettings pretrain, RunSettings settings)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(pretrain);
        ArgumentNullException.ThrowIfNull(settings);
        Folder = folder;
        _settings = settings;
        _checkpoints = folder.Checkpoints(settings.KeepLast, settings.KeepEvery, settings.CreateFile);
        _data = DataFingerprint.Of(source);
        _lock = new RunLock(folder.Path);
        try
        {
            _checkpoints.RemoveUnfinished();
            var stepsPerEpoch = Pretrainer.RequireFits(folder.Recipe, source.Count);
            var checkpoints = _checkpoints.All();
            var from = checkpoints.Count == 0 ? null : OfLatest(checkpoints, latest => ReadState(latest, stepsPerEpoch));
            var precision = from?.Precision ?? Precisions.Resolve(folder.Recipe.Train.Precision, context);
            Model = new Model(folder.Recipe, context, Precisions.Type(precision));
            if (from is not null)
            {
                OfLatest(checkpoints, LoadModel);
            }
            Pretrainer = new Pretrainer(Model, source, pretrain with { Skipped = LogSkipped + pretrain.Skipped }, from);
            _saved = Pretrainer.Progress.Step;
            _metrics = new RunMetrics(folder, Pretrainer.Progress.Step);
            settings.Logger.Begins(folder.Path, Pretrainer.Progress.Step, Pretrainer.TotalSteps);
            foreach (var warning in folder.Recipe.Warnings())
            {
                settings.Logger.Warns(warning);
            }
        }
        catch
        {
            Pretrainer?.Dispose();
            Model?.Dispose();
            _lock.Dispose();
            throw;
        }
    }

    /// <summary>The run's folder.</summary>
    public RunFolder Folder { get; }

    /// <summary>The model that is trained.</summary>
    public Model Model { get; }

    /// <summary>The loop.</summary>
    public Pretrainer Pretrainer { get; }

    /// <summary>
    /// Trains until the run is done, or until cancelled: then the step at hand is finished and saved first.
    /// </summary>
    /// <param name="stepDone">Called after every step.</param>
    /// <param name="epochDone">Called after every epoch with its number from 1, before its checkpoint.</param>
    /// <param name="cancellation">Stops the run.</param>
    /// <returns>Whether the run came to its end; false where it was cancelled.</returns>
    public bool Train(Action<StepReport>? stepDone, Action<int>? epochDone, CancellationToken cancellation)
    {
        try
        {
            return TrainSteps(stepDone, epochDone, cancellation);
        }
        catch (Exception failure) when (failure is InvalidDataException || DiskFailure.Is(failure))
        {
            // A picture or a disk failed, not the training: the parameters are those of the last whole step.
            SaveIfPossible();
            throw;
        }
    }

    /// <summary>Adds a picture to the TensorBoard events.</summary>
    public void LogPicture(string name, Image picture) => _metrics.Picture(name, picture, Pretrainer.Progress.Step);

    /// <inheritdoc/>
    public void Dispose()
    {
        _metrics.Dispose();
        Pretrainer.Dispose();
        Model.Dispose();
        _lock.Dispose();
    }

    private bool TrainSteps(Action<StepReport>? stepDone, Action<int>? epochDone, CancellationToken cancellation)
    {
        var last = _settings.StopAfter > 0 ? Math.Min(_settings.StopAfter, Pretrainer.TotalSteps) : Pretrainer.TotalSteps;
        while (Pretrainer.Progress.Step < last && !cancellation.IsCancellationRequested)
        {
            var report = Pretrainer.Advance();
            _metrics.Step(report);
            stepDone?.Invoke(report);
            var endsEpoch = Pretrainer.Progress.StepInEpoch == 0;
            if (endsEpoch)
            {
                epochDone?.Invoke(Pretrainer.Progress.Epoch);
            }
            if (_settings.CheckpointEvery > 0 ? report.Step % _settings.CheckpointEvery == 0 : endsEpoch)
            {
                Save();
            }
        }
        Save();
        return Pretrainer.Progress.Step >= last;
    }

    private void Save()
    {
        if (_saved == Pretrainer.Progress.Step)
        {
            return;
        }
        _metrics.Flush();
        var state = Pretrainer.State with
        {
            Data = _data,
            RecipeHash = Folder.Recipe.Hash(),
            Device = $"{Model.Context.Device}: {Model.Context.Description}",
        };
        var saved = _checkpoints.Save(state, Model.Tensors(), Model.Moments(), Metadata());
        _saved = state.Step;
        _settings.Logger.Saved(state.Step, saved.Folder);
    }

    private void LogSkipped(SkippedImage image) => _settings.Logger.Skipped(image.Name, image.Reason);

    private void SaveIfPossible()
    {
        try
        {
            Save();
        }
        catch (Exception failure) when (DiskFailure.Is(failure))
        {
            // the first failure is the one worth reporting; the earlier checkpoints are untouched
        }
    }

    private Dictionary<string, string> Metadata() => new()
    {
        ["format"] = "pt",
        ["recipe"] = Folder.Recipe.Name,
        ["method"] = Folder.Recipe.Method.ToString(),
    };

    // What the newest checkpoint holds; where it is damaged, how to do without it.
    private static T OfLatest<T>(IReadOnlyList<Checkpoint> all, Func<Checkpoint, T> read)
    {
        try
        {
            return read(all[^1]);
        }
        catch (InvalidFileException damaged) when (damaged.Path is not null && all.Count > 1)
        {
            throw new InvalidFileException(
                $"{damaged.Message.TrimEnd('.')}; to go on from step {all[^2].Step} instead, remove '{all[^1].Folder}'", damaged);
        }
    }

    private RunState ReadState(Checkpoint checkpoint, long stepsPerEpoch)
    {
        var state = checkpoint.ReadState();
        if (state.RecipeHash != Folder.Recipe.Hash())
        {
            throw new InvalidFileException(
                $"the checkpoint '{checkpoint.Folder}' belongs to another recipe than the run's recipe.json");
        }
        DataFingerprint.RequireSame(state.Data, _data);
        state.RequireConsistent(stepsPerEpoch, checkpoint.StatePath);
        return state;
    }

    private Model LoadModel(Checkpoint checkpoint)
    {
        using var model = checkpoint.OpenModel();
        Model.Load(model);
        using var optimizer = checkpoint.OpenOptimizer();
        Model.LoadMoments(optimizer);
        return Model;
    }
}
