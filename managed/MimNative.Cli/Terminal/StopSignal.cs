using System.Runtime.InteropServices;

namespace MimNative.Cli.Terminal;

/// <summary>
/// Ctrl-C, SIGTERM and what else may stop a command, as one cancellation; a second signal ends the process as the system would.
/// </summary>
internal sealed class StopSignal : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly PosixSignalRegistration _interrupt;
    private readonly PosixSignalRegistration _terminate;

    public StopSignal(Shell shell)
    {
        _source = CancellationTokenSource.CreateLinkedTokenSource(shell.Stop);
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
    }

    public CancellationToken Token => _source.Token;

    /// <summary>From here on signals do what the system does. The source stays: a signal may be on its way to it.</summary>
    public void Dispose()
    {
        _interrupt.Dispose();
        _terminate.Dispose();
    }

    private void Stop(PosixSignalContext context)
    {
        context.Cancel = !_source.IsCancellationRequested;
        _source.Cancel();
    }
}
