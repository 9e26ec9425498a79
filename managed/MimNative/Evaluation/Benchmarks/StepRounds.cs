namespace MimNative.Evaluation.Benchmarks;

/// <summary>Measures tasks in rounds: ours, the peer's, ours, the peer's, ... so that a machine that drifts drifts for both.</summary>
/// <param name="ours">Measures ours.</param>
/// <param name="peer">Measures the peer; null for none.</param>
/// <param name="rounds">How many rounds.</param>
/// <param name="progress">Told before each process, for someone who waits.</param>
public sealed class StepRounds(
    Func<BenchmarkTask, StepMeasurement> ours, Func<BenchmarkTask, StepMeasurement>? peer, int rounds, Action<string> progress)
{
    /// <summary>All rounds of a task.</summary>
    /// <exception cref="InvalidDataException">The peer trains another number of parameters, so its work is not ours.</exception>
    public StepComparison Measure(BenchmarkTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        var recipe = task.Recipe ?? throw new ArgumentException($"case '{task.Name}' has no recipe", nameof(task));
        var measured = new List<StepMeasurement>();
        var others = new List<StepMeasurement>();
        for (var round = 1; round <= rounds; round++)
        {
            progress($"{task.Name}: round {round} of {rounds}");
            measured.Add(ours(task));
            if (peer is null)
            {
                continue;
            }
            progress($"{task.Name}: round {round} of {rounds}, the peer");
            var other = peer(task);
            if (other.Parameters != measured[^1].Parameters)
            {
                throw new InvalidDataException(
                    $"the peer's model of case '{task.Name}' has {other.Parameters} parameters, ours {measured[^1].Parameters}: " +
                    "that is not the same work");
            }
            others.Add(other);
        }
        return new StepComparison
        {
            Name = task.Name,
            Batch = recipe.Train.Batch,
            Operations = StepWork.PerImage(recipe) * recipe.Train.Batch,
            Ours = measured,
            Peer = others,
        };
    }
}
