using MimNative.Cli;
using NUnit.Framework;

namespace MimNative.Tests.Cli;

public sealed class CommandOptionTests : FolderTests
{
    [TestCase("", "a command is missing", "pretrain", "mim --help")]
    [TestCase("pretrian", "there is no command 'pretrian'; did you mean 'pretrain'?")]
    [TestCase("pretrain --recipie x", "pretrain has no option '--recipie'; did you mean '--recipe'?")]
    [TestCase("info recipes more", "info does not take 'more'")]
    [TestCase("pretrain", "pretrain needs --recipe, or --resume RUN")]
    [TestCase("pretrain --recipe demo --data x", "pretrain needs --out")]
    [TestCase("pretrain --resume x --epochs 3", "--epochs cannot be given with --resume")]
    [TestCase("pretrain --resume x --precision f32", "--precision cannot be given with --resume")]
    [TestCase("pretrain --recipe demo --data x --out y --precision half", "train.precision should be one of auto, f32, bf16, but is \"half\"")]
    [TestCase("pretrain --resume x --threads -1", "--threads is '-1', expected a whole number from 0 to 4096")]
    [TestCase("pretrain --resume x --workers many", "--workers is 'many', expected a whole number from 1 to 1024")]
    [TestCase("pretrain --resume x --keep-last 0", "--keep-last is '0', expected a whole number from 1")]
    [TestCase("pretrain --resume x --checkpoint-every 99999999999999999999", "--checkpoint-every", "expected a whole number")]
    [TestCase("pretrain --resume x --device tpu", "device is 'tpu', expected cpu, cuda or cuda:N")]
    [TestCase("reconstruct --run x", "--images")]
    [TestCase("reconstruct --run x --images y --stats 1", "--stats is '1', expected true or visible")]
    [TestCase("verify", "argument missing", "verify")]
    public void What_is_wrong_is_named(string command, params string[] named) =>
        CommandLine.Run(command.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Fails(ExitCode.BadInput, named);

    // Elsewhere @FILE is a file of more arguments.
    [TestCase("info", "@mine.safetensors")]
    [TestCase("verify", "@mine.safetensors")]
    [TestCase("info", "@mine.json")]
    [TestCase("coverage", "--data", "@photos")]
    [TestCase("lowpass", "--images", "@home.png")]
    public void A_name_that_begins_with_an_at_sign_is_a_name(params string[] arguments) =>
        CommandLine.Run(arguments).Fails(ExitCode.BadInput, arguments[^1]);

    [TestCase("--recipe")]
    [TestCase("--data")]
    [TestCase("--out")]
    public void A_value_from_an_unset_shell_variable_is_named(string option) =>
        CommandLine.Run(TinyRun.Pretrain(At("run")).Select((a, i) => i > 0 && TinyRun.Pretrain("")[i - 1] == option ? "" : a))
            .Fails(ExitCode.BadInput, $"{option} is empty");

    [Test]
    public void A_device_that_is_not_there_is_an_error_before_anything_is_written()
    {
        CommandLine.Run(TinyRun.Pretrain(At("run"), "--device", "cuda:7")).Fails(ExitCode.Unavailable, "CUDA");
        Assert.That(Directory.Exists(At("run")), Is.False);
    }
}
