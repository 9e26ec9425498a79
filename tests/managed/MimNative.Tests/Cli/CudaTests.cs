using System.Text.Json;
using MimNative.Cli;
using NUnit.Framework;

namespace MimNative.Tests.Cli;

/// <summary>
/// The command on a CUDA device: the kernels' own sources, run by the emulator that the native tests build. A GPU's machine runs the
/// same with its own library.
/// </summary>
[Platform("Linux")]
public sealed class CudaTests : FolderTests
{
    private static readonly string[] Recorded =
    [
        "mae_normpix1", "pixmim_normpix0", "convmae_64_normpix1", "lsmae_mask2_dec2_pred2", "simmim_vit_rpb_ape", "simmim_swin_2stage",
        "lomar_w5_n4_shared", "opt_simmim_vit_clipped", "pixmim_target_48x72", "op_attn_n17_d16", "op_losses", "op_tokens", "op_extras",
    ];

    private static Finished OnDevice(params IEnumerable<string> arguments) => CommandLine.Run([.. arguments, "--device", "cuda"]);

    private static Finished With(string library, params IEnumerable<string> arguments) =>
        CommandProcess.RunWith(EmulatedDevice.Variable, library, arguments);

    [Test]
    public void Recorded_numbers_are_met() =>
        Assert.That(
            OnDevice(["verify", "--brief", .. Recorded.Select(Golden.Find)]).Succeeds(),
            Does.EndWith($"{Recorded.Length} of {Recorded.Length} files pass"));

    [Test]
    public void Training_follows_the_cpu_and_repeats_itself()
    {
        double[] Losses(string folder, params string[] more)
        {
            CommandLine.Run(TinyRun.Pretrain(At(folder), ["--sheet-every", "0", .. more])).Succeeds();
            return [.. File.ReadLines(At($"{folder}/metrics.jsonl")).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("loss").GetDouble())];
        }
        double[] cpu = Losses("cpu", "--precision", "f32"), cuda = Losses("cuda", "--device", "cuda", "--precision", "f32");
        double[] again = Losses("again", "--device", "cuda", "--precision", "f32"), bf16 = Losses("bf16", "--device", "cuda", "--precision", "auto");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(cuda, Has.Length.EqualTo(9));
            Assert.That(cuda, Is.EqualTo(cpu).Within(0.01).Percent);
            Assert.That(again, Is.EqualTo(cuda));
            Assert.That(bf16, Is.EqualTo(cpu).Within(2).Percent);
            Assert.That(bf16, Is.Not.EqualTo(cuda));
        }
    }

    [Test]
    public void A_device_that_cannot_be_had_is_an_error_that_lists_what_was_tried()
    {
        With("/nowhere/libmim_cuda.so", TinyRun.Pretrain(At("run"), "--device", "cuda")).Fails(
            ExitCode.Unavailable, "tried /nowhere/libmim_cuda.so (", "MIM_CUDA_LIBRARY may name its file");
    }

    [Test]
    public void The_doctor_says_which_backend_loads_and_why_not_otherwise()
    {
        string found = CommandLine.Run("doctor").Succeeds();
        Assert.That(found, Does.Contain("cuda      CUDA emulated by the processor"));
        string missing = With("/nowhere/libmim_cuda.so", "doctor").Succeeds();
        Assert.That(missing, Does.Contain("cuda      not available: ").And.Contain("/nowhere/libmim_cuda.so"));
    }

    [Test]
    public void A_library_that_is_no_backend_is_refused()
    {
        string other = Path.Combine(Path.GetDirectoryName(EmulatedDevice.Library)!, "..", "..", "..", "native", "libmim.so");
        string told = With(other, "doctor").Succeeds();
        Assert.That(told, Does.Contain("has no mim_cuda_built_against"));
    }

    [Test]
    public void The_demo_trains_and_draws_on_the_device()
    {
        string told = OnDevice(
            "demo", "--data", TinyRun.Pictures, "--out", At("demo"), "--set", "train.epochs=1", "--set", "train.warmup_epochs=0",
            "--set", "train.batch=4", "--set", "encoder.dim=32", "--set", "encoder.depth=1", "--set", "decoder.depth=1").Succeeds();
        Assert.That(told, Does.Contain("CUDA emulated"));
        Assert.That(new FileInfo(At("demo/reconstruction.png")).Length, Is.GreaterThan(1000));
    }

    [Test]
    public void Steps_are_measured_on_the_device()
    {
        using var report = JsonDocument.Parse(OnDevice(
            "bench", "steps", "--recipe", TinyRun.RecipeFile, "--seconds", "0", "--precision", "bf16", "--json", "-").Succeeds());
        var ours = report.RootElement.GetProperty("steps")[0].GetProperty("ours")[0];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(report.RootElement.GetProperty("device").GetString(), Is.EqualTo("cuda:0"));
            Assert.That(report.RootElement.GetProperty("machine").GetString(), Does.Contain("CUDA emulated"));
            Assert.That(ours.GetProperty("precision").GetString(), Is.EqualTo("bf16"));
            Assert.That(ours.GetProperty("milliseconds").EnumerateArray().Select(m => m.GetDouble()), Has.Exactly(5).GreaterThan(0));
            Assert.That(ours.GetProperty("idle_share").GetDouble(), Is.GreaterThanOrEqualTo(0).And.LessThan(1));
            // of the device, not of this process and its runtime
            Assert.That(ours.GetProperty("peak_bytes").GetInt64(), Is.GreaterThan(100_000).And.LessThan(10_000_000));
        }
        CommandLine.Run("bench", "scaling", "--device", "cuda").Fails(ExitCode.BadInput, "expected --device cpu, not cuda:0");
    }

    [Test]
    public void Ops_are_measured_in_bursts()
    {
        const string Task = """
            {"name": "ops", "device": "cuda:0", "threads": 1, "precision": "bf16", "seconds": 0,
             "ops": [{"name": "small", "op": "layer_norm", "sizes": {"rows": 3, "dim": 24}}]}
            """;
        using var measured = JsonDocument.Parse(CommandLine.Run("bench", "--measure", Task).Succeeds());
        Assert.That(measured.RootElement.GetProperty("ops")[0].GetProperty("milliseconds").GetDouble(), Is.GreaterThan(0));
        Assert.That(measured.RootElement.GetProperty("description").GetString(), Does.Contain("CUDA emulated"));
    }

    [Test]
    public void A_library_of_another_version_is_refused()
    {
        string other = Path.Combine(Path.GetDirectoryName(EmulatedDevice.Library)!, "libmim_cuda_of_another_version.so");
        With(other, TinyRun.Pretrain(At("run"), "--device", "cuda"))
            .Fails(ExitCode.Unavailable, $"{other} was built against another version of libmim than this one");
    }
}
