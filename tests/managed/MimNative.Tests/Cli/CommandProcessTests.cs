using System.Diagnostics;
using MimNative.Cli;
using NUnit.Framework;

namespace MimNative.Tests.Cli;

/// <summary>What tests of commands in this process cannot see: that the program hands on what a command writes and returns.</summary>
public sealed class CommandProcessTests : FolderTests
{
    [Test]
    public void Help_and_version_succeed()
    {
        Assert.That(CommandProcess.Run("pretrain", "--help").Succeeds(), Does.Contain("--checkpoint-every"));
        Assert.That(CommandProcess.Run("--version").Succeeds(), Does.Match(@"^\d+\.\d+\.\d+"));
    }

    [Test]
    public void A_process_writes_and_returns_what_the_command_does()
    {
        string recipe = At("größe.json");
        File.WriteAllText(recipe, TinyRun.Recipe.Replace("tiny", "größe", StringComparison.Ordinal));
        foreach (string[] arguments in new string[][]
        {
            ["info", recipe], ["info", "recipes"], ["verify", Golden.Find("op_gelu"), "--json"], ["info", At("höhe.safetensors")],
            ["export", "--run", TinyRun.Run, "--to", Folder],
        })
        {
            Assert.That(CommandProcess.Run(arguments), Is.EqualTo(CommandLine.Run(arguments)), string.Join(' ', arguments));
        }
    }

    [Test]
    [Platform("Linux,MacOsX")]
    public void A_reader_that_goes_away_is_no_defect()
    {
        using var shell = Process.Start(new ProcessStartInfo("bash")
        {
            ArgumentList = { "-c", $"dotnet '{typeof(ExitCode).Assembly.Location}' info recipes --json | true; echo ${{PIPESTATUS[0]}}" },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Assert.That(shell.StandardOutput.ReadToEnd(), Is.EqualTo("0\n"));
        Assert.That(shell.StandardError.ReadToEnd(), Is.Empty);
    }
}
