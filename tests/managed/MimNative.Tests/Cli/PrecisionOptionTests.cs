using NUnit.Framework;

namespace MimNative.Tests.Cli;

/// <summary>What a run computes in, on a processor without bf16 instructions (as which any processor may pose) and on this one.</summary>
public sealed class PrecisionOptionTests : FolderTests
{
    private static string OnPlainProcessor(params string[] arguments) =>
        CommandProcess.RunWith("MIM_CPU_LEVEL", "avx2", arguments).Succeeds();

    [Test]
    public void A_run_says_what_it_computes_in_and_why()
    {
        string auto = OnPlainProcessor(TinyRun.Pretrain(At("auto"), "--stop-after", "1", "--precision", "auto"));
        Assert.That(auto, Does.Contain("precision  f32: this processor has no bf16 instructions; training in f32"));
        string f32 = CommandLine.Run(TinyRun.Pretrain(At("f32"), "--stop-after", "1", "--precision", "f32")).Succeeds();
        Assert.That(f32, Does.Contain("precision  f32\n"));
    }

    [Test]
    public void A_run_in_bf16_goes_on_in_bf16_on_any_processor()
    {
        string begun = OnPlainProcessor(TinyRun.Pretrain(At("bf16"), "--stop-after", "1", "--precision", "bf16"));
        Assert.That(begun, Does.Contain("precision  bf16, which is slow here"));
        string resumed = CommandLine.Run(TinyRun.Resume(At("bf16"))).Succeeds();
        Assert.That(resumed, Does.Contain("precision  bf16, w").And.Contain("step 9 of 9"));
        CommandLine.Run("reconstruct", "--run", At("bf16"), "--images", TinyRun.Picture, "--out", At("sheet.png")).Succeeds();
        CommandLine.Run("export", "--run", At("bf16"), "--to", At("encoder.safetensors")).Succeeds();
    }
}
