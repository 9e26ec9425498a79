using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using MimNative.Data;
using MimNative.Recipes;
using MimNative.Runtime;
using MimNative.Tests.Cli;
using MimNative.Tests.Data;
using MimNative.Training;
using NUnit.Framework;

namespace MimNative.Tests.Training;

public sealed class PretrainRunTests : FolderTests
{
    // Five batches of 3 an epoch: two steps of two, and one batch that fills no step.
    private static readonly Recipe Tiny = Recipe.FromJson(TinyRun.Recipe, "tiny", ["train.batch=3", "train.accumulation=2"]);

    private static readonly Recipe TinyF32 = In("f32"), TinyBf16 = In("bf16");

    private static readonly long[] EveryStep = [1, 2, 3, 4, 5, 6];

    [Test]
    public void A_run_stopped_after_every_step_is_the_uninterrupted_one_bit_for_bit(
        [Values(1, 2)] int workers, [Values(1, 2)] int threads)
    {
        using var pictures = Pictures();
        RunFolder whole = Train(At("whole"), pictures, [6], 1, threads);
        RunFolder stopped = Train(At("stopped"), pictures, EveryStep, workers, threads);
        RequireSame(whole, stopped);
    }

    [Test]
    public void A_stop_far_inside_costs_nothing_either()
    {
        using var pictures = Pictures();
        RequireSame(Train(At("whole"), pictures, [6]), Train(At("stopped"), pictures, [3, 6], workers: 2));
    }

    [Test]
    public void A_run_in_bf16_goes_on_bit_for_bit_too()
    {
        using var pictures = Pictures();
        RunFolder whole = Train(At("whole"), pictures, [6], recipe: TinyBf16), plain = Train(At("plain"), pictures, [6], recipe: TinyF32);
        RequireSame(whole, Train(At("stopped"), pictures, EveryStep, workers: 2, recipe: TinyBf16));
        Assert.That(Numbers(whole)[0], Is.Not.EqualTo(Numbers(plain)[0]), "bf16 was used");
        Assert.That(whole.Latest!.ReadState().Precision, Is.EqualTo(Precision.Bf16));
    }

    [Test]
    public void A_run_goes_on_in_the_numbers_that_it_began_with_whatever_auto_is_here()
    {
        using var pictures = Pictures();
        using var context = new Context(Device.Cpu, 1);
        var here = Precisions.Resolve(Precision.Auto, context);
        foreach (var precision in new[] { "f32", "bf16" })
        {
            RunFolder run = Train(At(precision), pictures, [3]);
            var state = run.Latest!.StatePath;
            Assert.That(run.Latest!.ReadState().Precision, Is.EqualTo(here));
            File.WriteAllText(state, File.ReadAllText(state).Replace(
                $"\"precision\": \"{here.ToString().ToLowerInvariant()}\"", $"\"precision\": \"{precision}\""));
            using var pretrain = new PretrainRun(run, pictures, context, new PretrainSettings { Workers = 1 }, new RunSettings());
            var want = precision == "bf16" ? DType.BF16 : DType.F32;
            pretrain.Train(null, null, CancellationToken.None);
            Assert.That(pretrain.Model.Compute, Is.EqualTo(want));
            Assert.That(Precisions.Type(run.Latest!.ReadState().Precision), Is.EqualTo(want));
        }
        Assert.That(Numbers(RunFolder.Open(At("bf16")))[3], Is.Not.EqualTo(Numbers(RunFolder.Open(At("f32")))[3]));
    }

    [Test]
    public void A_disk_that_fills_up_while_a_checkpoint_is_written_costs_no_earlier_one()
    {
        using var pictures = Pictures();
        RunFolder whole = Train(At("whole"), pictures, [6]), stopped = RunFolder.Create(At("stopped"), Tiny, "pictures");
        int left = int.MaxValue;
        using (var context = new Context(Device.Cpu, 1))
        {
            var settings = new RunSettings
            {
                CheckpointEvery = 1,
                CreateFile = path => new FullDisk(path, () => left, room => left = room),
            };
            using var run = new PretrainRun(stopped, pictures, context, new PretrainSettings { Workers = 1 }, settings);
            Assert.That(
                () => run.Train(report => left = report.Step == 4 ? 50_000 : left, null, CancellationToken.None),
                Throws.TypeOf<IOException>().With.Message.Contains("checkpoint of step 4").And.Message.Contains("the disk is full"));
        }
        Assert.That(stopped.Latest!.Step, Is.EqualTo(3));
        Assert.That(Directory.GetDirectories(Path.Combine(stopped.Path, "checkpoints")), Has.Length.EqualTo(2));
        RequireSame(whole, Continue(stopped, pictures, [6]));
    }

    [Test]
    public void A_picture_that_fails_costs_no_step_that_was_done()
    {
        using var pictures = Pictures();
        RunFolder whole = Train(At("whole"), pictures, [6]), stopped = RunFolder.Create(At("stopped"), Tiny, "pictures");
        using (var failing = new FailingSource(pictures, good: 20))
        using (var context = new Context(Device.Cpu, 1))
        using (var run = new PretrainRun(stopped, failing, context, new PretrainSettings { Workers = 1 }, new RunSettings()))
        {
            Assert.That(() => run.Train(null, null, CancellationToken.None), Throws.TypeOf<IOException>().With.Message.Contains("network"));
            Assert.That(stopped.Latest!.Step, Is.EqualTo(run.Pretrainer.State.Step).And.GreaterThan(0));
        }
        RequireSame(whole, Continue(stopped, pictures, [6]));
    }

    [Test]
    public void A_run_is_trained_by_one_at_a_time()
    {
        using var pictures = Pictures();
        RunFolder folder = RunFolder.Create(At("run"), Tiny, "pictures");
        using var context = new Context(Device.Cpu, 1);
        using (var first = Open())
        {
            Assert.That(Open, Throws.TypeOf<IOException>().With.Message.Contains("trained by another process"));
        }
        Open().Dispose();

        PretrainRun Open() => new(folder, pictures, context, new PretrainSettings(), new RunSettings());
    }

    [Test]
    public void The_logger_hears_of_the_beginning_the_checkpoints_and_skipped_pictures()
    {
        using var pictures = Pictures();
        var heard = new Lines();
        using var context = new Context(Device.Cpu, 1);
        using var run = new PretrainRun(
            RunFolder.Create(At("run"), Tiny, "pictures"), pictures, context, new PretrainSettings { Workers = 1 },
            new RunSettings { Logger = heard });
        run.Train(null, null, CancellationToken.None);
        string[] lines = [.. heard.All];
        Assert.That(lines.Count(l => l.Contains("begins after step 0 of 6", StringComparison.Ordinal)), Is.EqualTo(1));
        Assert.That(lines.Count(l => l.Contains("Checkpoint of step", StringComparison.Ordinal)), Is.EqualTo(3));
        Assert.That(lines.Count(l => l.Contains("4.png was skipped", StringComparison.Ordinal)), Is.EqualTo(1));
    }

    [Test]
    public void A_skipped_picture_is_listed_once_on_one_line()
    {
        string path = At("skipped.txt");
        for (int run = 0; run < 2; ++run)
        {
            var list = new SkippedList(path);
            list.Add(new SkippedImage(0, "a.jpg", "two\nlines"));
            list.Add(new SkippedImage(1, "b\t.jpg", "cut"));
            list.Add(new SkippedImage(1, "b\t.jpg", "cut"));
        }
        Assert.That(File.ReadAllText(path), Is.EqualTo("a.jpg\ttwo lines\nb .jpg\tcut\n"));
    }

    private static Recipe In(string precision) =>
        Recipe.FromJson(TinyRun.Recipe, "tiny", ["train.batch=3", "train.accumulation=2", $"train.precision={precision}"]);

    private static RunFolder Train(string path, IImageSource pictures, long[] stops, int workers = 1, int threads = 1, Recipe? recipe = null) =>
        Continue(RunFolder.Create(path, recipe ?? Tiny, "pictures"), pictures, stops, workers, threads);

    // As a new process would each time: everything is opened anew.
    private static RunFolder Continue(RunFolder run, IImageSource pictures, long[] stops, int workers = 1, int threads = 1)
    {
        foreach (long stop in stops)
        {
            using var context = new Context(Device.Cpu, threads);
            using var pretrain = new PretrainRun(
                RunFolder.Open(run.Path), pictures, context, new PretrainSettings { Workers = workers },
                new RunSettings { StopAfter = stop });
            Assert.That(pretrain.Train(null, null, CancellationToken.None), Is.True);
            Assert.That(pretrain.Pretrainer.State.Step, Is.EqualTo(stop));
        }
        return run;
    }

    private static void RequireSame(RunFolder whole, RunFolder stopped)
    {
        Assert.That(Numbers(stopped), Is.EqualTo(Numbers(whole)));
        Assert.That(Numbers(stopped).Select(n => n[0]), Is.EqualTo(new[] { "1", "2", "3", "4", "5", "6" }));
        foreach (string file in new[] { "model.safetensors", "optimizer.safetensors", "state.json" })
        {
            byte[] expected = File.ReadAllBytes(Path.Combine(whole.Latest!.Folder, file));
            Assert.That(File.ReadAllBytes(Path.Combine(stopped.Latest!.Folder, file)), Is.EqualTo(expected), file);
        }
        Assert.That(EventFile.Curve(stopped.Path, "train/loss"), Is.EqualTo(EventFile.Curve(whole.Path, "train/loss")));
    }

    // What metrics.jsonl says of each step, times apart, digit by digit.
    private static List<string[]> Numbers(RunFolder run) =>
    [
        .. File.ReadLines(run.MetricsFile).Select(line =>
        {
            using var json = JsonDocument.Parse(line);
            return new[] { "step", "epoch", "loss", "learning_rate", "gradient_norm" }
                .Select(name => json.RootElement.GetProperty(name).GetRawText()).ToArray();
        }),
    ];

    // Seventeen pictures, one of which is none: another stands in for it.
    private static MemorySource Pictures()
    {
        using var shapes = new ShapesSource(17, 40, 40, seed: 3);
        return new MemorySource(
            [.. Enumerable.Range(0, 17).Select(i => i == 4 ? "text"u8.ToArray() : shapes.ReadBytes(i, new ByteBuffer()).ToArray())]);
    }

    /// <summary>A logger that keeps what it hears.</summary>
    private sealed class Lines : ILogger
    {
        public ConcurrentQueue<string> All { get; } = new();

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            All.Enqueue(formatter(state, exception));
    }

    /// <summary>A source on a network that goes away after so many pictures.</summary>
    private sealed class FailingSource(IImageSource source, int good) : IImageSource
    {
        private int _reads;

        public int Count => source.Count;

        public string Name(int index) => source.Name(index);

        public ReadOnlySpan<byte> ReadBytes(int index, ByteBuffer buffer) => Interlocked.Increment(ref _reads) <= good
            ? source.ReadBytes(index, buffer)
            : throw new IOException("the network is gone");

        public void Dispose()
        {
        }
    }
}
