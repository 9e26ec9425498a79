using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using MimNative.Tests.Training;
using NUnit.Framework;

namespace MimNative.Tests.Cli;

/// <summary>
/// A run that is killed (SIGKILL) at random moments and resumed each time comes to what the uninterrupted one comes to, bit for
/// bit. tests/kill-and-resume runs it with more kills: MIM_KILLS says how many, MIM_KILLS_SEED at which moments.
/// </summary>
[Platform("Linux,MacOsX")]
public sealed class KillAndResumeTests : FolderTests
{
    [Test]
    public void A_run_killed_at_random_moments_ends_as_if_it_had_not_been()
    {
        int kills = Setting("MIM_KILLS", 3), seed = Setting("MIM_KILLS_SEED", 1);
        string[] length = ["--epochs", $"{10 + (10 * kills)}", "--sheet-every", "5"];
        CommandLine.Run(TinyRun.Pretrain(At("whole"), length)).Succeeds();

        var moments = new Random(seed);
        string run = At("killed");
        IEnumerable<string> arguments = TinyRun.Pretrain(run, [.. length, "--checkpoint-every", "1", "--json"]);
        int torn = 0;
        for (int kill = 0; kill < kills; ++kill)
        {
            using (var command = CommandProcess.Start(arguments))
            {
                for (int steps = moments.Next(1, 12); steps > 0; --steps)
                {
                    command.WaitFor("\"step\":");
                }
                // Every other time while a checkpoint is half written, else at any moment.
                Wait(moments, run, command, untilHalfWritten: kill % 2 == 0);
                command.Signal(CommandProcess.KillAtOnce);
                Assert.That(
                    command.Finish().Code, Is.EqualTo(128 + CommandProcess.KillAtOnce), "the run ended before it was killed");
            }
            torn += HalfWritten(run) ? 1 : 0;
            TestContext.Out.WriteLine($"killed after step {Steps(run).Count}{(HalfWritten(run) ? ", inside a checkpoint" : "")}");
            arguments = TinyRun.Resume(run, "--sheet-every", "5", "--checkpoint-every", "1", "--json");
        }
        Finished last = CommandLine.Run(TinyRun.Resume(run, "--sheet-every", "5"));
        Assert.That(last.Code, Is.Zero, last.Errors);
        RequireSame(At("whole"), run);
        TestContext.Out.WriteLine(
            $"{kills} kills (seed {seed}), {torn} of them inside a checkpoint: {Steps(run).Count} steps, the same bits as uninterrupted");
    }

    private static void Wait(Random moments, string run, CommandProcess command, bool untilHalfWritten)
    {
        long start = Stopwatch.GetTimestamp();
        var time = TimeSpan.FromMilliseconds(moments.Next(100));
        while (Stopwatch.GetElapsedTime(start) < (untilHalfWritten ? TimeSpan.FromSeconds(10) : time) &&
               !(untilHalfWritten && HalfWritten(run)) && command.RunsAfter(TimeSpan.Zero))
        {
            Thread.SpinWait(100);
        }
    }

    private static bool HalfWritten(string run) =>
        Directory.Exists(Path.Combine(run, "checkpoints")) &&
        Directory.EnumerateDirectories(Path.Combine(run, "checkpoints"), "*.partial").Any();

    private static void RequireSame(string whole, string killed)
    {
        Assert.That(Steps(killed), Is.EqualTo(Steps(whole)));
        Assert.That(Steps(killed).Select(s => long.Parse(s[0], CultureInfo.InvariantCulture)),
            Is.EqualTo(Enumerable.Range(1, Steps(whole).Count)), "metrics.jsonl has each step once");
        Assert.That(EventFile.Curve(killed, "train/loss"), Is.EqualTo(EventFile.Curve(whole, "train/loss")));
        Assert.That(Files(killed, "sheets"), Is.EqualTo(Files(whole, "sheets")).And.Not.Empty);
        int last = Steps(whole).Count;
        foreach (string file in new[] { "model.safetensors", "optimizer.safetensors", "state.json" })
        {
            byte[] expected = File.ReadAllBytes(TinyRun.InCheckpoint(whole, last, file));
            Assert.That(File.ReadAllBytes(TinyRun.InCheckpoint(killed, last, file)), Is.EqualTo(expected), file);
        }
        Assert.That(HalfWritten(killed), Is.False);
    }

    // Names and contents of the files in a folder of a run.
    private static List<string> Files(string run, string folder) =>
    [
        .. Directory.GetFiles(Path.Combine(run, folder)).Order(StringComparer.Ordinal)
            .Select(path => $"{Path.GetFileName(path)} {Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path)))}"),
    ];

    private static List<string[]> Steps(string run) =>
    [
        .. File.ReadLines(Path.Combine(run, "metrics.jsonl")).Select(line =>
        {
            using var json = JsonDocument.Parse(line);
            return new[] { "step", "loss", "learning_rate", "gradient_norm" }
                .Select(name => json.RootElement.GetProperty(name).GetRawText()).ToArray();
        }),
    ];

    private static int Setting(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text
            ? int.Parse(text, CultureInfo.InvariantCulture)
            : otherwise;
}
