namespace MimNative.Training;

/// <summary>Numbers of what a training step repeats; see <see cref="Runtime.Context.Repeat"/>.</summary>
internal static class RepeatedWork
{
    /// <summary>The optimiser's update.</summary>
    public const int Update = 0;

    /// <summary>Forward and backward of one batch.</summary>
    public const int Batch = 1;
}
