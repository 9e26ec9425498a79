using MimNative.Cli;
using NUnit.Framework;

namespace MimNative.Tests.Cli;

/// <summary>MIM_CPU_LEVEL: a processor computes with the instructions of that level and no better ones, or says that it lacks them.</summary>
public sealed class CpuLevelTests
{
    private const string Variable = "MIM_CPU_LEVEL";

    // What the doctor calls each level, from the least to the best.
    private static readonly (string Level, string Shown)[] Levels =
        [("avx2", "AVX2"), ("avx512", "AVX-512"), ("avx512_bf16", "AVX-512 with bf16")];

    [Test]
    public void Each_level_that_the_processor_has_is_shown_and_a_better_one_refused()
    {
        string here = CommandProcess.RunIn([(Variable, null)], "doctor").Succeeds();
        int best = Array.FindIndex(Levels, l => here.Contains($", {l.Shown}, ", StringComparison.Ordinal));
        Assert.That(best, Is.GreaterThanOrEqualTo(0), here);
        for (int i = 0; i < Levels.Length; ++i)
        {
            Finished told = CommandProcess.RunWith(Variable, Levels[i].Level, "doctor");
            if (i <= best)
            {
                Assert.That(told.Succeeds(), Does.Contain($", {Levels[i].Shown} (MIM_CPU_LEVEL), "));
            }
            else
            {
                Assert.That(told.Output, Does.Contain(
                    $"MIM_CPU_LEVEL is {Levels[i].Level}, which this processor lacks: it has {Levels[best].Shown}"));
                Assert.That(told.Code, Is.EqualTo(ExitCode.Unavailable));
            }
        }
    }

    [Test]
    public void A_word_that_is_no_level_is_refused() =>
        CommandProcess.RunWith(Variable, "avx", "verify", Golden.Find("op_gelu"))
            .Fails(ExitCode.BadInput, "MIM_CPU_LEVEL is 'avx', expected avx2, avx512 or avx512_bf16");

    [Test]
    public void Matrix_products_keep_to_the_level_too()
    {
        string[] verify = ["verify", Golden.Find("op_attn_module")];
        Finished told = CommandProcess.RunIn([(Variable, "avx2"), ("ONEDNN_VERBOSE", "1")], verify);
        Assert.That(told.Code, Is.Zero, told.Errors);
        Assert.That(told.Output, Does.Contain("onednn_verbose").And.Contain("isa:Intel AVX2").And.Not.Contain("avx512"));
    }
}
