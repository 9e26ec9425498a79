using MimNative.Export;

namespace MimNative.Training;

/// <summary>One complete checkpoint: a folder with the model, the optimiser and the run's state.</summary>
public sealed class Checkpoint
{
    internal const string ModelFile = "model.safetensors";
    internal const string OptimizerFile = "optimizer.safetensors";
    internal const string StateFile = "state.json";

    internal Checkpoint(string folder, long step) => (Folder, Step) = (folder, step);

    /// <summary>The folder.</summary>
    public string Folder { get; }

    /// <summary>The optimiser step after which it was made.</summary>
    public long Step { get; }

    /// <summary>The file that holds the run's state.</summary>
    public string StatePath => Path.Combine(Folder, StateFile);

    /// <summary>Its size on the disk.</summary>
    public long Bytes => new DirectoryInfo(Folder).EnumerateFiles().Sum(file => file.Length);

    /// <summary>Reads the run's state.</summary>
    /// <exception cref="InvalidFileException">It is damaged, or of another step than the folder says.</exception>
    public RunState ReadState()
    {
        RunState state = RunState.Read(StatePath);
        return state.Step == Step ? state : throw new InvalidFileException(
            StatePath, $"step should be {Step} as in the folder's name, but is {state.Step}.");
    }

    /// <summary>Opens the parameters.</summary>
    /// <exception cref="InvalidFileException">The file is missing or damaged.</exception>
    public SafetensorsFile OpenModel() => SafetensorsFile.Open(Path.Combine(Folder, ModelFile));

    /// <summary>Opens the optimiser's moments.</summary>
    /// <exception cref="InvalidFileException">The file is missing or damaged.</exception>
    public SafetensorsFile OpenOptimizer() => SafetensorsFile.Open(Path.Combine(Folder, OptimizerFile));
}
