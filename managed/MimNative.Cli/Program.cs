using System.CommandLine;
using MimNative.Cli.Commands;
using MimNative.Cli.Terminal;

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
            CoverageCommand.Create(),
            AttentionCommand.Create(),
            LowPassCommand.Create(),
            SweepCommand.Create(),
            VerifyCommand.Create(),
            ExportCommand.Create(),
            BenchCommand.Create(),
            InfoCommand.Create(),
            DoctorCommand.Create(),
        };
        return Run(root, arguments);
    }

    // Every failure is one sentence and an exit code.
    private static int Run(RootCommand root, string[] arguments)
    {
        try
        {
            var parsed = root.Parse(arguments);
            if (ParseComplaint.About(parsed) is { } complaint)
            {
                Failure.Say(complaint);
                return ExitCode.BadInput;
            }
            // Ctrl-C is each command's own: pretrain finishes its step and saves.
            return parsed.Invoke(new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            });
        }
        catch (Exception failure)
        {
            return Failure.Report(failure);
        }
    }
}
