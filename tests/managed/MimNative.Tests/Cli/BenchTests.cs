using System.Text.Json;
using MimNative.Cli;
using MimNative.Recipes;
using MimNative.Runtime;
using MimNative.Training;
using NUnit.Framework;

namespace MimNative.Tests.Cli;

/// <summary>mim bench on a recipe that a step of takes a millisecond, and beside peers made of a line of shell.</summary>
public sealed class BenchTests : FolderTests
{
    private static string[] Bench(params string[] more) =>
        ["bench", "steps", "--recipe", TinyRun.RecipeFile, "--threads", "1", "--seconds", "0", .. more];

    [Test]
    public void Steps_are_measured_and_reported()
    {
        string file = At("new/report.json");
        string output = CommandLine.Run(Bench("--runs", "2", "--batch", "2", "--json", file)).Succeeds();
        Assert.That(output, Does.Contain("GFLOP/s").And.Contain("tiny").And.Contain("outside native").And.Contain("reorders").And.Not.Contain("faster"));
        using var report = JsonDocument.Parse(File.ReadAllText(file));
        var root = report.RootElement;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(root.GetProperty("machine").GetString(), Does.Contain("1 thread"));
            Assert.That(root.GetProperty("threads").GetInt32(), Is.EqualTo(1));
            Assert.That(root.GetProperty("ceiling").GetProperty("f32_gflops").GetDouble(), Is.GreaterThan(0));
            Assert.That(root.GetProperty("ceiling").GetProperty("triad_gbytes").GetDouble(), Is.GreaterThan(0));
            var step = root.GetProperty("steps")[0];
            Assert.That(step.GetProperty("name").GetString(), Is.EqualTo("tiny"));
            Assert.That(step.GetProperty("batch").GetInt32(), Is.EqualTo(2));
            Assert.That(step.GetProperty("ours").GetArrayLength(), Is.EqualTo(2));
            Assert.That(step.GetProperty("ours")[1].GetProperty("milliseconds").GetArrayLength(), Is.EqualTo(5));
            Assert.That(step.GetProperty("time").GetProperty("median").GetDouble(), Is.GreaterThan(0));
            Assert.That(step.GetProperty("reorder_share").GetDouble(), Is.Zero);
            Assert.That(step.GetProperty("time_ratio").ValueKind, Is.EqualTo(JsonValueKind.Null));
        }
    }

    [Test]
    public void A_report_to_standard_output_is_nothing_but_json()
    {
        string output = CommandLine.Run("bench", "scaling", "--recipe", TinyRun.RecipeFile, "--threads", "2", "--seconds", "0", "--json", "-")
            .Succeeds();
        using var report = JsonDocument.Parse(output);
        var threads = report.RootElement.GetProperty("scaling").EnumerateArray()
            .Select(s => s.GetProperty("ours")[0].GetProperty("threads").GetInt32());
        Assert.That(threads, Is.EqualTo(new[] { 1, 2 }));
        Assert.That(report.RootElement.GetProperty("steps").GetArrayLength(), Is.Zero);
    }

    [Test]
    public void A_peer_is_given_the_same_case_and_compared()
    {
        long parameters = Parameters();
        string peer = Peer($$"""
            echo loading
            printf '%s\n' "$@" > '{{At("arguments")}}'
            echo '{"parameters": {{parameters}}, "milliseconds": [1e9, 2e9, 3e9], "peak_bytes": 1, "description": "a fake"}'
            """);
        string output = CommandLine.Run(Bench("--runs", "2", "--peer", "sh", "--peer-script", peer, "--json", "-")).Succeeds();
        using var report = JsonDocument.Parse(output);
        var step = report.RootElement.GetProperty("steps")[0];
        string[] arguments = File.ReadAllLines(At("arguments"));
        using var given = JsonDocument.Parse(arguments[1]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(step.GetProperty("peer")[0].GetProperty("description").GetString(), Is.EqualTo("a fake"));
            Assert.That(step.GetProperty("peer").GetArrayLength(), Is.EqualTo(2));
            Assert.That(step.GetProperty("peer_time").GetProperty("median").GetDouble(), Is.EqualTo(2e9));
            Assert.That(step.GetProperty("time_ratio").GetProperty("least").GetDouble(), Is.GreaterThan(1));
            Assert.That(step.GetProperty("memory_ratio").GetProperty("least").GetDouble(), Is.GreaterThan(1e6));
            Assert.That((arguments[0], arguments[2], arguments.Length), Is.EqualTo(("--case", "--json", 3)));
            Assert.That(given.RootElement.GetProperty("threads").GetInt32(), Is.EqualTo(1));
            Assert.That(given.RootElement.GetProperty("recipe").GetProperty("encoder").GetProperty("dim").GetInt32(), Is.EqualTo(32));
        }
    }

    [Test]
    public void Ops_are_measured_beside_a_peer()
    {
        string peer = Peer("""
            echo "$2" | tr '{' '\n' | sed -n 's/.*"name":"\(gelu[^"]*\)".*/{"name": "\1", "milliseconds": 1e6, "lower": 1, "upper": 2e6}/p' |
                paste -sd, | sed 's/.*/{"description": "a fake", "ops": [&]}/'
            """);
        string output = CommandLine.Run(
            "bench", "ops", "--case", "gelu", "--threads", "1", "--seconds", "0", "--precision", "f32", "--runs", "1", "--peer", "sh",
            "--peer-script", peer, "--json", At("report.json")).Succeeds();
        Assert.That(output, Does.Contain("gelu_backward 3152 x 1536").And.Contain("GB/s").And.Contain("faster"));
        using var report = JsonDocument.Parse(File.ReadAllText(At("report.json")));
        var ops = report.RootElement.GetProperty("ops").EnumerateArray().ToList();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(ops.Select(o => o.GetProperty("name").GetString()), Is.EqualTo(new[] { "gelu 3152 x 1536", "gelu_backward 3152 x 1536" }));
            Assert.That(ops[0].GetProperty("precision").GetString(), Is.EqualTo("f32"));
            Assert.That(ops[0].GetProperty("bytes").GetDouble(), Is.EqualTo(2.0 * 3152 * 1536 * 4));
            Assert.That(ops[0].GetProperty("share").GetDouble(), Is.GreaterThan(0));
            Assert.That(ops[1].GetProperty("time_ratio").GetProperty("least").GetDouble(), Is.GreaterThan(1));
        }
    }

    [Test]
    public void A_peer_that_fails_is_one_sentence() =>
        CommandLine.Run(Bench("--peer", "sh", "--peer-script", Peer("echo no module named torch >&2; exit 3")))
            .Fails(ExitCode.Unavailable, "the peer failed with exit code 3 on case 'tiny': no module named torch");

    [Test]
    public void A_script_that_is_not_there_is_named() =>
        CommandLine.Run(Bench("--peer", "sh", "--peer-script", At("none.py"))).Fails(ExitCode.BadInput, $"'{At("none.py")}'");

    [TestCase("there is no section 'step', expected", "bench", "step")]
    [TestCase("there is no case 'mae-vit-s61'", "bench", "steps", "--case", "mae-vit-s61")]
    [TestCase("there is no recipe 'mae'", "bench", "steps", "--recipe", "mae")]
    [TestCase("--set changes a recipe", "bench", "steps", "--set", "train.batch=2")]
    [TestCase("exclude each other", "bench", "steps", "--recipe", "demo", "--case", "mae-vit-s16")]
    [TestCase("--precision is 'f16', expected auto, f32 or bf16", "bench", "--precision", "f16")]
    [TestCase("there is no op 'linaer'", "bench", "ops", "--case", "linaer")]
    [TestCase("ops have sizes of their own", "bench", "ops", "--batch", "4")]
    [TestCase("--seconds is 'long'", "bench", "--seconds", "long")]
    [TestCase("--batch is '-1'", "bench", "--batch", "-1")]
    public void A_wrong_option_is_named(string named, params string[] arguments) =>
        CommandLine.Run(arguments).Fails(ExitCode.BadInput, named);

    private string Peer(string script)
    {
        File.WriteAllText(At("peer.sh"), script + "\n");
        return At("peer.sh");
    }

    private static long Parameters()
    {
        using var context = new Context(Device.Cpu, threads: 1);
        using var model = new Model(Recipe.Load(TinyRun.RecipeFile), context);
        return model.Store.TrainedCount;
    }
}
