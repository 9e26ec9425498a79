using System.CommandLine;
using MimNative.Cli.Commands;
using MimNative.Export;
using MimNative.Recipes;

namespace MimNative.Cli;

internal static class Program
{
    private static int Main(string[] arguments)
    {
        var root = new RootCommand("Pretrains vision transformers on unlabelled images by masked image modelling.")
        {
            DemoCommand.Create(),
            PretrainCommand.Create(),
            ReconstructCommand.Create(),
            VerifyCommand.Create(),
            ExportCommand.Create(),
            InfoCommand.Create(),
            DoctorCommand.Create(),
        };
        return Run(root, arguments);
    }

    // Every failure that a user's input or machine can cause is one sentence and an exit code.
    private static int Run(RootCommand root, string[] arguments)
    {
        try
        {
            var parsed = root.Parse(arguments);
            if (parsed.Errors.Count > 0)
            {
                Console.Error.WriteLine($"mim: {parsed.Errors[0].Message}");
                return ExitCode.BadInput;
            }
            // Ctrl-C is each command's own: pretrain finishes its step and saves.
            return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (Exception e) when (CodeOf(e) is { } code)
        {
            Console.Error.WriteLine($"mim: {e.Message}");
            return code;
        }
    }

    private static int? CodeOf(Exception e) => e switch
    {
        NotFiniteNumberException => ExitCode.NotFinite,
        OperationCanceledException => ExitCode.Stopped,
        RecipeException or InvalidFileException or ArgumentException or FormatException or NotSupportedException => ExitCode.BadInput,
        FileNotFoundException or DirectoryNotFoundException => ExitCode.BadInput,
        MimException { Status: MimStatus.InvalidArgument or MimStatus.CorruptData } => ExitCode.BadInput,
        MimException or DllNotFoundException or IOException or UnauthorizedAccessException or OutOfMemoryException
            => ExitCode.Unavailable,
        _ => null,
    };
}
