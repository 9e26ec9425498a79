using MimNative.Data;
using MimNative.Recipes;
using MimNative.Runtime;
using MimNative.Tests.Cli;
using MimNative.Tests.Data;
using MimNative.Training;
using NUnit.Framework;

namespace MimNative.Tests.Training;

/// <summary>A loop that asks for the next batches before it waits for a loss reports and saves what one that waits does.</summary>
[Platform("Linux")]
public sealed class RunningAheadTests
{
    private static Recipe TinyRecipe(params string[] settings) => Recipe.FromJson(
        TinyRun.Recipe, "tiny",
        [
            "image.height=16", "image.width=16", "encoder.patch=4", "train.batch=2", "train.accumulation=2", "train.epochs=3", .. settings,
        ]);

    private static Context Open(DeviceKind kind) => kind == DeviceKind.Cpu ? new Context(Device.Cpu, threads: 1) : EmulatedDevice.Open();

    // Every step's report, place, parameters and moments; and what ended the loop.
    private static (List<(StepReport Report, RunProgress Progress, float[] Numbers)> Steps, Exception? Failure, float[] Left) Train(
        DeviceKind kind, bool ahead, Recipe recipe, IImageSource source)
    {
        using var context = Open(kind);
        using var model = new Model(recipe, context);
        using var pretrainer = new Pretrainer(
            model, source, new PretrainSettings { Workers = 1, Strict = true, RunsAhead = ahead });
        using var step = new Step(context);
        Exception? failure = null;
        float[] Numbers() =>
        [
            .. step.ToArray<float>(model.Store.Values), .. step.ToArray<float>(model.Store.Moment1), .. step.ToArray<float>(model.Store.Moment2),
        ];
        var steps = new List<(StepReport, RunProgress, float[])>();
        try
        {
            while (!pretrainer.IsDone)
            {
                var report = pretrainer.Advance() with { Seconds = 0, DataWaitSeconds = 0 };
                steps.Add((report, pretrainer.Progress, Numbers()));
            }
        }
        catch (Exception e) when (e is NotFiniteNumberException or InvalidDataException)
        {
            failure = e;
        }
        return (steps, failure, Numbers());
    }

    private static void RequireSame(DeviceKind kind, Recipe recipe, Func<IImageSource> open, int steps, string? message)
    {
        using IImageSource first = open(), second = open();
        var (waiting, ahead) = (Train(kind, ahead: false, recipe, first), Train(kind, ahead: true, recipe, second));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(waiting.Steps, Has.Count.EqualTo(steps));
            Assert.That(ahead.Steps.Select(s => s.Report), Is.EqualTo(waiting.Steps.Select(s => s.Report)));
            Assert.That(ahead.Steps.Select(s => s.Progress), Is.EqualTo(waiting.Steps.Select(s => s.Progress)));
            Assert.That(ahead.Steps.Select(s => s.Numbers), Is.EqualTo(waiting.Steps.Select(s => s.Numbers)));
            Assert.That(ahead.Left, Is.EqualTo(waiting.Left));
            Assert.That(waiting.Left, Is.EqualTo(waiting.Steps[^1].Numbers));
            Assert.That(waiting.Failure?.Message, message is null ? Is.Null : Does.Contain(message));
            Assert.That(ahead.Failure?.Message, Is.EqualTo(waiting.Failure?.Message));
        }
    }

    [TestCase(DeviceKind.Cpu)]
    [TestCase(DeviceKind.Cuda)]
    public void A_whole_run_is_the_same(DeviceKind kind) =>
        RequireSame(kind, TinyRecipe(), () => new ShapesSource(11, 40, 40, seed: 3), steps: 6, message: null);

    [TestCase(DeviceKind.Cpu)]
    [TestCase(DeviceKind.Cuda)]
    public void A_loss_that_is_not_finite_names_its_step(DeviceKind kind) => RequireSame(
        kind, TinyRecipe("train.base_lr=1e30", "train.warmup_epochs=0"), () => new ShapesSource(11, 40, 40, seed: 3), steps: 1, "the loss of step 2 (epoch 0) is NaN");

    [TestCase(DeviceKind.Cpu)]
    [TestCase(DeviceKind.Cuda)]
    public void A_picture_that_fails_does_so_after_the_steps_before_it(DeviceKind kind)
    {
        IImageSource Broken()
        {
            using var shapes = new ShapesSource(12, 40, 40, seed: 3);
            byte[]?[] files = [.. Enumerable.Range(0, 12).Select(i => i == 5 ? null : shapes.ReadBytes(i, new ByteBuffer()).ToArray())];
            return new MemorySource(files, () => new InvalidDataException("it is broken"));
        }
        using var source = Broken();
        var whole = Train(DeviceKind.Cpu, ahead: false, TinyRecipe(), source);
        Assert.That(whole.Failure, Is.Not.Null);
        RequireSame(kind, TinyRecipe(), Broken, whole.Steps.Count, "it is broken");
    }

    [Test]
    public void The_next_batches_are_asked_for_first()
    {
        using var source = new ShapesSource(11, 40, 40, seed: 3);
        using var context = EmulatedDevice.Open();
        using var model = new Model(TinyRecipe(), context);
        using var pretrainer = new Pretrainer(model, source, new PretrainSettings { Workers = 1 });
        for (var i = 1; !pretrainer.IsDone; i++)
        {
            pretrainer.Advance();
            var batches = 2 * Math.Min(i + 1, pretrainer.TotalSteps);
            Assert.That(context.ReplayedSteps, Is.EqualTo(Math.Max(0, batches - 3) + Math.Max(0, i - 3)), $"after step {i}");
        }
    }
}
