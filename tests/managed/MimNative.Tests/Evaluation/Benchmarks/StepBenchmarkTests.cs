using System.Text.Json;
using MimNative.Evaluation.Benchmarks;
using MimNative.Recipes;
using MimNative.Runtime;
using MimNative.Tests.Cli;
using NUnit.Framework;

namespace MimNative.Tests.Evaluation.Benchmarks;

[NonParallelizable]
public sealed class StepBenchmarkTests
{
    private static BenchmarkTask Task => new()
    {
        Name = "tiny",
        Threads = 1,
        Precision = Precision.F32,
        Seconds = 0,
        Recipe = Recipe.FromJson(TinyRun.Recipe, "tiny"),
    };

    [Test]
    public void A_step_is_measured()
    {
        using var benchmark = new StepBenchmark(Task);
        var measured = benchmark.Measure();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(measured.Milliseconds, Has.Count.EqualTo(BenchmarkTask.LeastRepetitions).And.All.GreaterThan(0));
            Assert.That(measured.Parameters, Is.GreaterThan(10_000));
            Assert.That(measured.Loss, Is.GreaterThan(0).And.LessThan(10));
            Assert.That(measured.PeakBytes, Is.GreaterThanOrEqualTo(measured.ImportBytes).And.GreaterThan(1 << 20));
            Assert.That(measured.PlannedBytes, Is.GreaterThan(16 * measured.Parameters));
            Assert.That(measured.OutsideNative, Is.GreaterThan(0).And.LessThan(1));
            Assert.That(measured.Threads, Is.EqualTo(1));
        }
    }

    [Test]
    public void A_task_keeps_everything_on_its_way_to_another_process()
    {
        var task = Task with { Seconds = 0.25, Recipe = StepCases.Find("simmim-swin-ti", DeviceKind.Cpu).Recipe() };
        var json = JsonSerializer.Serialize(task, BenchmarkJson.Default.BenchmarkTask);
        var read = JsonSerializer.Deserialize(json, BenchmarkJson.Default.BenchmarkTask)!;
        Assert.That(read.Recipe!.ToJson(), Is.EqualTo(task.Recipe!.ToJson()));
        Assert.That(read with { Recipe = task.Recipe, Ops = task.Ops }, Is.EqualTo(task));
        using var parts = JsonDocument.Parse(json);
        Assert.That(parts.RootElement.GetProperty("recipe").GetRawText(), Is.EqualTo(Compact(task.Recipe!.ToJson())));
    }

    [TestCase(Precision.F32)]
    [TestCase(Precision.Bf16)]
    public void The_matrix_library_is_asked_for_products_and_for_no_reorders(Precision precision)
    {
        var json = JsonSerializer.Serialize(Task with { Precision = precision }, BenchmarkJson.Default.BenchmarkTask);
        var result = CommandProcess.RunWith("DNNL_VERBOSE", "1", "bench", "--measure", json);
        // onednn_verbose,exec,cpu,matmul,brg:avx512_core,...
        string[] kinds =
            [.. result.Output.Split('\n').Select(line => line.Split(',')).Where(part => part is [_, "exec", ..]).Select(part => part[3])];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(kinds, Has.Length.GreaterThan(100), result.Errors);
            Assert.That(kinds.Distinct(), Is.EqualTo(new[] { "matmul" }));
        }
    }

    [Test]
    public void Ours_and_the_peers_take_turns()
    {
        var order = new List<string>();
        StepMeasurement Measured(string who, params double[] milliseconds)
        {
            order.Add(who);
            return new StepMeasurement { Parameters = 7, Milliseconds = milliseconds, PeakBytes = who == "ours" ? 50 : 100 };
        }
        var rounds = new StepRounds(_ => Measured("ours", 10, 20, 30), _ => Measured("peer", 30, 50), rounds: 3, _ => { });
        var result = rounds.Measure(Task);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(order, Is.EqualTo(new[] { "ours", "peer", "ours", "peer", "ours", "peer" }));
            Assert.That(result.Time.Median, Is.EqualTo(20));
            Assert.That(result.TimeRatio!.Value.Median, Is.EqualTo(2));
            Assert.That(result.MemoryRatio!.Value.Median, Is.EqualTo(0.5));
            Assert.That(result.Operations, Is.EqualTo(4 * StepWork.PerImage(Task.Recipe!)));
        }
    }

    [Test]
    public void A_peer_of_another_size_is_refused()
    {
        var rounds = new StepRounds(_ => Of(7), _ => Of(8), rounds: 2, _ => { });
        Assert.That(() => rounds.Measure(Task), Throws.TypeOf<InvalidDataException>().With.Message.EqualTo(
            "the peer's model of case 'tiny' has 8 parameters, ours 7: that is not the same work"));
        static StepMeasurement Of(long parameters) => new() { Parameters = parameters, Milliseconds = [1], PeakBytes = 1 };
    }

    private static string Compact(string json) => JsonSerializer.Serialize(JsonDocument.Parse(json).RootElement);
}
