using MimNative.Cli.Terminal;
using MimNative.Export;
using MimNative.Recipes;

namespace MimNative.Cli;

/// <summary>What a failure is to the one who typed the command: an exit code and one sentence on one line.</summary>
internal static class Failure
{
    /// <summary>The environment variable that asks for the stack trace of a defect.</summary>
    private const string TraceVariable = "MIM_TRACE";

    /// <summary>Prints the sentence to standard error and returns the exit code.</summary>
    public static int Report(Shell shell, Exception failure)
    {
        var cause = CauseOf(failure);
        if (CodeOf(cause) is { } code)
        {
            Say(shell, SentenceOf(cause));
            return code;
        }
        Say(shell, $"this is a defect of mim: {cause.GetType().Name}: {SentenceOf(cause)} ({TraceVariable}=1 shows where)");
        if (Environment.GetEnvironmentVariable(TraceVariable) is { Length: > 0 })
        {
            shell.Error.WriteLine(cause);
        }
        return ExitCode.Defect;
    }

    /// <summary>A line on standard error.</summary>
    public static void Say(Shell shell, string sentence) => shell.Error.WriteLine($"mim: {OneLine(sentence)}");

    private static int? CodeOf(Exception e) => e switch
    {
        NotFiniteNumberException => ExitCode.NotFinite,
        OperationCanceledException => ExitCode.Stopped,
        RecipeException or InvalidFileException or InvalidDataException => ExitCode.BadInput,
        ArgumentException or FormatException or NotSupportedException => ExitCode.BadInput,
        FileNotFoundException or DirectoryNotFoundException => ExitCode.BadInput,
        MimException { Status: MimStatus.InvalidArgument or MimStatus.CorruptData } => ExitCode.BadInput,
        MimException or DllNotFoundException or IOException or UnauthorizedAccessException or OutOfMemoryException
            => ExitCode.Unavailable,
        _ => null,
    };

    // Loops on several threads wrap what went wrong, however often it did.
    private static Exception CauseOf(Exception e) => e is AggregateException { InnerException: { } inner } ? CauseOf(inner) : e;

    // .NET adds the parameter's name and value to a message; they are the library's words, not the user's.
    private static string SentenceOf(Exception e)
    {
        var end = e is ArgumentException { ParamName: { } name }
            ? e.Message.LastIndexOf($" (Parameter '{name}')", StringComparison.Ordinal)
            : -1;
        return OneLine(end > 0 ? e.Message[..end] : e.Message);
    }

    private static string OneLine(string text) =>
        string.Join(' ', text.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
}
