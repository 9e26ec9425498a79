using Microsoft.Extensions.Logging;

namespace MimNative.Training;

/// <summary>What a run says to the logger of the application that it runs in. Every step is metrics, not log.</summary>
internal static partial class RunLog
{
    [LoggerMessage(1, LogLevel.Information, "Run {Folder} begins after step {Step} of {TotalSteps}")]
    public static partial void Begins(this ILogger logger, string folder, long step, long totalSteps);

    [LoggerMessage(2, LogLevel.Information, "Checkpoint of step {Step} saved in {Folder}")]
    public static partial void Saved(this ILogger logger, long step, string folder);

    [LoggerMessage(3, LogLevel.Warning, "Picture {Name} was skipped: {Reason}")]
    public static partial void Skipped(this ILogger logger, string name, string reason);

    [LoggerMessage(4, LogLevel.Warning, "The recipe is unusual: {Warning}")]
    public static partial void Warns(this ILogger logger, string warning);
}
