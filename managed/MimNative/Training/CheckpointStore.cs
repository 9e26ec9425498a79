using System.Globalization;
using MimNative.Export;
using MimNative.Runtime;

namespace MimNative.Training;

/// <summary>
/// The checkpoints of one run: folders step-000001234 in one folder. A checkpoint is either complete or not
/// there: it is written beside its place, flushed to the disk and then renamed, so neither a crash nor a full
/// disk harms the earlier ones.
/// </summary>
public sealed class CheckpointStore
{
    private const string Prefix = "step-";

    private readonly int _keepLast;
    private readonly long _keepEvery;
    private readonly Func<string, Stream>? _create;

    /// <summary>Checkpoints in <paramref name="folder"/>, which is created by the first save.</summary>
    /// <param name="folder">The folder that holds them.</param>
    /// <param name="keepLast">How many of the newest are kept.</param>
    /// <param name="keepEvery">Steps divisible by it are kept for ever; 0 keeps none of them.</param>
    public CheckpointStore(string folder, int keepLast = 3, long keepEvery = 0)
        : this(folder, keepLast, keepEvery, create: null) { }

    /// <summary>For tests: <paramref name="create"/> opens the files and may let them fail.</summary>
    internal CheckpointStore(string folder, int keepLast, long keepEvery, Func<string, Stream>? create)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentOutOfRangeException.ThrowIfLessThan(keepLast, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(keepEvery);
        (Folder, _keepLast, _keepEvery, _create) = (folder, keepLast, keepEvery, create);
    }

    /// <summary>The folder that holds the checkpoints.</summary>
    public string Folder { get; }

    /// <summary>All complete checkpoints, the oldest first.</summary>
    public IReadOnlyList<Checkpoint> All()
    {
        if (!Directory.Exists(Folder))
        {
            return [];
        }
        var found = new List<Checkpoint>();
        foreach (string path in Directory.GetDirectories(Folder, Prefix + "*"))
        {
            string digits = Path.GetFileName(path)[Prefix.Length..];
            if (long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long step)
                && Name(step) == Path.GetFileName(path))
            {
                found.Add(new Checkpoint(path, step));
            }
        }
        return [.. found.OrderBy(checkpoint => checkpoint.Step)];
    }

    /// <summary>
    /// The newest checkpoint, or null when there is none. It is the newest by name: one whose content was
    /// damaged later gives an error when it is read, never silently an older one.
    /// </summary>
    public Checkpoint? Latest() => All() is [.., var latest] ? latest : null;

    /// <summary>
    /// Clears away what a crash left behind and returns the paths removed. For whoever is about to write;
    /// a mere reader could remove what a run is just writing.
    /// </summary>
    public IReadOnlyList<string> RemoveUnfinished() => AtomicFolder.Recover(Folder);

    /// <summary>
    /// Writes a checkpoint of the state's step, then removes the ones that need no longer be kept.
    /// </summary>
    /// <exception cref="IOException">The disk is full, the folder cannot be written, ...; the earlier
    /// checkpoints are untouched.</exception>
    public Checkpoint Save(
        RunState state, IEnumerable<SafetensorsTensor> model, IEnumerable<SafetensorsTensor> optimizer,
        IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(state);
        string path = Path.Combine(Folder, Name(state.Step));
        try
        {
            Directory.CreateDirectory(Folder);
            using var folder = new AtomicFolder(path, _create);
            folder.Write(Checkpoint.ModelFile, s => SafetensorsWriter.Write(s, model, metadata));
            folder.Write(Checkpoint.OptimizerFile, s => SafetensorsWriter.Write(s, optimizer, metadata));
            folder.Write(Checkpoint.StateFile, state.Write);
            folder.Commit();
        }
        catch (Exception failure) when (DiskFailure.Is(failure))
        {
            throw new IOException($"The checkpoint of step {state.Step} could not be written to '{Folder}': "
                + $"{DiskFailure.Reason(failure)}; the earlier checkpoints are untouched.", failure);
        }
        RemoveOld();
        return new Checkpoint(path, state.Step);
    }

    private void RemoveOld()
    {
        foreach (Checkpoint old in All().SkipLast(_keepLast))
        {
            if (_keepEvery > 0 && old.Step % _keepEvery == 0)
            {
                continue;
            }
            try
            {
                AtomicFolder.Remove(old.Folder);
            }
            catch (Exception failure) when (DiskFailure.Is(failure))
            {
                throw new IOException($"The checkpoint was written, but the old one '{old.Folder}' could "
                    + $"not be removed: {DiskFailure.Reason(failure)}.", failure);
            }
        }
    }

    private static string Name(long step) =>
        string.Create(CultureInfo.InvariantCulture, $"{Prefix}{step:D9}");
}
