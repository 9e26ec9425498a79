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
}
