using MimNative.Cli;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Cli;

public sealed class PrecisionOptionTests : FolderTests
{
    [Test]
    public void A_run_says_what_it_computes_in_and_why()
    {
        using var context = new Context(Device.Cpu);
        var (auto, bf16) = context.HasBf16
            ? ("precision  bf16, with weights", "precision  bf16, with weights")
            : ("precision  f32: this processor has no bf16 instructions; training in f32", "precision  bf16, which is slow here");
        Assert.That(CommandLine.Run(TinyRun.Pretrain(At("auto"), "--stop-after", "1")).Succeeds(), Does.Contain(auto));
        Assert.That(CommandLine.Run(TinyRun.Pretrain(At("f32"), "--stop-after", "1", "--precision", "f32")).Succeeds(), Does.Contain("precision  f32\n"));
        Assert.That(CommandLine.Run(TinyRun.Pretrain(At("bf16"), "--stop-after", "1", "--precision", "bf16")).Succeeds(), Does.Contain(bf16));
        Assert.That(CommandLine.Run(TinyRun.Resume(At("bf16"))).Succeeds(), Does.Contain(bf16).And.Contain("step 9 of 9"));
        CommandLine.Run("reconstruct", "--run", At("bf16"), "--images", TinyRun.Picture, "--out", At("sheet.png")).Succeeds();
        CommandLine.Run("export", "--run", At("bf16"), "--to", At("encoder.safetensors")).Succeeds();
    }

    [Test]
    public void A_processor_without_any_product_of_bf16_is_an_error_before_anything_is_written()
    {
        CommandProcess.RunWith("ONEDNN_MAX_CPU_ISA", "AVX2", TinyRun.Pretrain(At("run"), "--precision", "bf16"))
            .Fails(ExitCode.Unavailable, "train.precision is bf16, which this device cannot compute", "use f32");
        Assert.That(Directory.Exists(At("run")), Is.False);
    }
}
