using System.CommandLine;
using MimNative.Cli.Commands;
using MimNative.Cli.Terminal;

namespace MimNative.Cli;

internal static class Program
{
    private static int Main(string[] arguments) => Run(Shell.OfProcess(), arguments);

    /// <summary>Carries out a command line and returns its exit code. Every failure is one sentence and an exit code.</summary>
    public static int Run(Shell shell, IReadOnlyList<string> arguments)
    {
        try
        {
            // A name that begins with @ is a file like any other, not a file of more arguments.
            var parsed = Commands(shell).Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
            if (ParseComplaint.About(parsed) is { } complaint)
            {
                Failure.Say(shell, complaint);
                return ExitCode.BadInput;
            }
            // Ctrl-C is each command's own: pretrain finishes its step and saves.
            return parsed.Invoke(new InvocationConfiguration
            {
                Output = shell.Output,
                Error = shell.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            });
        }
        catch (Exception failure)
        {
            return Failure.Report(shell, failure);
        }
    }

    private static RootCommand Commands(Shell shell) =>
        new("Pretrains vision transformers on unlabelled images by masked image modelling.")
        {
            DemoCommand.Create(shell),
            PretrainCommand.Create(shell),
            ReconstructCommand.Create(shell),
            CoverageCommand.Create(shell),
            AttentionCommand.Create(shell),
            LowPassCommand.Create(shell),
            SweepCommand.Create(shell),
            VerifyCommand.Create(shell),
            ExportCommand.Create(shell),
            BenchCommand.Create(shell),
            InfoCommand.Create(shell),
            DoctorCommand.Create(shell),
        };
}
