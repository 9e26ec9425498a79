using System.Diagnostics;
using MimNative.Cli;
using NUnit.Framework;

namespace MimNative.Tests.Cli;

[Platform("Linux,MacOsX")]
public sealed class StopSignalTests : FolderTests
{
    [TestCase(CommandProcess.Interrupt)]
    [TestCase(CommandProcess.Terminate)]
    public void A_signal_ends_a_run_after_its_step_saved(int signal)
    {
        using var command = CommandProcess.Start(
            TinyRun.Pretrain(At("run"), "--epochs", "100000", "--checkpoint-every", "1000000", "--json"));
        command.WaitFor("\"step\":3,");
        command.Signal(signal);
        Finished finished = command.Finish();
        Assert.That(finished.Code, Is.EqualTo(ExitCode.Stopped), finished.Errors);
        Assert.That(finished.Errors, Does.Contain($"go on with: mim pretrain --resume {At("run")}"));

        int steps = File.ReadLines(Path.Combine(At("run"), "metrics.jsonl")).Count();
        Assert.That(Directory.Exists(TinyRun.InCheckpoint(At("run"), steps, "")), Is.True, finished.Errors);
        string more = CommandLine.Run(TinyRun.Resume(At("run"), "--stop-after", $"{steps + 1}")).Succeeds();
        Assert.That(more, Does.Contain($"resumed    at step {steps} "));
    }

    [Test]
    public void A_second_signal_ends_it_at_once()
    {
        // One step of 4096 micro-batches: far longer than the test waits.
        File.WriteAllLines(At("list.txt"), Enumerable.Repeat(TinyRun.Picture, 4096 * 8));
        using var command = CommandProcess.Start(
            TinyRun.PretrainOn(At("list.txt"), At("run"), "--set", "train.accumulation=4096", "--batch", "8"));
        command.WaitFor("memory");
        Assert.That(command.RunsAfter(TimeSpan.FromSeconds(1)), Is.True);  // the step has begun
        command.Signal(CommandProcess.Interrupt);
        Assert.That(command.RunsAfter(TimeSpan.FromSeconds(1)), Is.True, "the first signal did not let the step go on");
        long second = Stopwatch.GetTimestamp();
        command.Signal(CommandProcess.Interrupt);
        Finished finished = command.Finish();
        Assert.That(Stopwatch.GetElapsedTime(second), Is.LessThan(TimeSpan.FromSeconds(10)));
        Assert.That(finished.Code, Is.EqualTo(ExitCode.Stopped));
        Assert.That(finished.Output, Does.Not.Contain("go on with"));
        Assert.That(Directory.Exists(Path.Combine(At("run"), "checkpoints")), Is.False);
    }
}
