using MimNative.Cli;
using MimNative.Cli.Terminal;
using NUnit.Framework;

namespace MimNative.Tests.Cli;

/// <summary>What commands do in a terminal, and how they hear that they should stop.</summary>
public sealed class TerminalTests : FolderTests
{
    [Test]
    public void Progress_is_one_line_that_is_rewritten()
    {
        var (code, output) = Run(isTerminal: true, CancellationToken.None, TinyRun.Pretrain(At("run")));
        Assert.That(code, Is.Zero);
        Assert.That(output, Does.Contain("\rstep 1/9 ").And.Contain("\rstep 9/9 ").And.Contain("step 9 of 9, saved in"));
        Assert.That(output.Split('\n'), Has.None.Match("step 1/9.*step 9/9 .*saved"), "the last line of progress is ended");
    }

    [Test]
    public void A_table_is_drawn_in_a_terminal_and_plain_elsewhere()
    {
        Assert.That(Run(isTerminal: true, CancellationToken.None, "info").Output, Does.StartWith("╭"));
        Assert.That(Run(isTerminal: false, CancellationToken.None, "info").Output, Does.Match("^recipe +what it is +differs"));
    }

    [Test]
    public void A_run_that_is_asked_to_stop_saves_its_step()
    {
        var (code, output) = Run(isTerminal: false, new CancellationToken(canceled: true), TinyRun.Pretrain(At("run")));
        Assert.That(code, Is.EqualTo(ExitCode.Stopped), output);
        Assert.That(output, Does.Contain($"stopped; go on with: mim pretrain --resume {At("run")}"));
        Assert.That(CommandLine.Run(TinyRun.Resume(At("run"))).Succeeds(), Does.Contain("step 9 of 9"));
    }

    private static (int Code, string Output) Run(bool isTerminal, CancellationToken stop, params string[] arguments)
    {
        using StringWriter output = new() { NewLine = "\n" }, error = new();
        int code = Program.Run(new Shell(output, error, stop) { ShowsOutput = isTerminal }, arguments);
        Assert.That(error.ToString(), Is.Empty);
        return (code, output.ToString());
    }
}
