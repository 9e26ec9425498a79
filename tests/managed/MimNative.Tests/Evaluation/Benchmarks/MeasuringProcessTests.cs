using MimNative.Evaluation.Benchmarks;
using MimNative.Recipes;
using NUnit.Framework;

namespace MimNative.Tests.Evaluation.Benchmarks;

/// <summary>What is read of oneDNN's own report.</summary>
public sealed class MeasuringProcessTests
{
    private static readonly BenchmarkTask Task = new() { Name = "case", Threads = 1, Precision = Precision.F32, Seconds = 0 };

    private static MeasuringProcess Saying(params string[] lines) =>
        new("it", ["/bin/sh", "-c", $"[ \"$DNNL_VERBOSE\" = 1 ] && printf '%s\\n' {string.Join(' ', lines.Select(line => $"'{line}'"))}"]);

    [Test]
    public void Reorders_are_told_apart_from_products()
    {
        var process = Saying(
            "dnnl_verbose,info,cpu,runtime:OpenMP",
            "dnnl_verbose,create:cache_miss,cpu,reorder,simple,9.5",
            "dnnl_verbose,exec,cpu,matmul,brg:avx512_core,undef,src_f32,,4x8:8x2,0.25",
            "dnnl_verbose,exec,cpu,reorder,simple:any,undef,src_f32,,8x2,0.5",
            "dnnl_verbose,exec,cpu,gemm_api,,undef,,,1024x64,1.25",
            "{}");
        Assert.That(process.ReorderShare(Task), Is.EqualTo(0.25));
    }

    [Test]
    public void Silence_is_no_share() =>
        Assert.That(
            () => Saying("dnnl_verbose,info,cpu,runtime:OpenMP").ReorderShare(Task),
            Throws.TypeOf<IOException>().With.Message.EqualTo(
                "it ran case 'case' without a word of oneDNN, whose reorders were to be counted"));

    [TestCase("echo no module named torch >&2; exit 3", "it failed with exit code 3 on case 'case': no module named torch")]
    [TestCase("echo mim: no room >&2; exit 3", "it failed with exit code 3 on case 'case': no room")]
    [TestCase("exit 1", "it failed with exit code 1 on case 'case': nothing was said")]
    [TestCase("echo hello", "it should print one line of JSON for case 'case', but its last line is 'hello'")]
    [TestCase("echo '{\"parameters\": 1}'", "it should print one line of JSON for case 'case', but its last line is '{\"parameters\": 1}'")]
    [TestCase("echo null", "it should print one line of JSON for case 'case', but its last line is 'null'")]
    public void What_fails_or_answers_something_else_is_one_sentence(string script, string sentence) =>
        Assert.That(
            () => new MeasuringProcess("it", ["/bin/sh", "-c", script]).Measure(Task, BenchmarkJson.Default.StepMeasurement),
            Throws.TypeOf<IOException>().With.Message.EqualTo(sentence));

    [Test]
    public void What_is_not_there_is_named() =>
        Assert.That(
            () => new MeasuringProcess("it", ["/nowhere/python"]).Measure(Task, BenchmarkJson.Default.StepMeasurement),
            Throws.TypeOf<IOException>().With.Message.StartWith("it cannot be started: '/nowhere/python': "));
}
