using System.Text.Json;
using MimNative.Cli;
using NUnit.Framework;

namespace MimNative.Tests.Cli;

/// <summary><c>mim lowpass</c> as a user runs it.</summary>
public sealed class LowPassCommandTests : FolderTests
{
    [Test]
    public void Lowpass_draws_a_sheet_and_tells_its_numbers()
    {
        string sheet = At("new/sheet.png");
        string output = CommandLine.Run(
            "lowpass", "--images", TinyRun.Picture, Path.Combine(TinyRun.Pictures, "10.jpg"), "--size", "32", "--r", "4,40", "--mode", "symmetric",
            "--out", sheet, "--json").Succeeds();
        using var json = JsonDocument.Parse(output);
        var first = json.RootElement.GetProperty("pictures")[0].GetProperty("bandwidths");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(File.Exists(sheet), Is.True);
            Assert.That(json.RootElement.GetProperty("pictures").GetArrayLength(), Is.EqualTo(2));
            // points of the plane with whole coordinates not further than 4 from the middle
            Assert.That(first[0].GetProperty("kept_bins").GetInt32(), Is.EqualTo(49));
            Assert.That(first[1].GetProperty("kept_bins").GetInt32(), Is.EqualTo(32 * 32));
            Assert.That(first[1].GetProperty("largest_difference").GetDouble(), Is.LessThan(1e-5));
        }
        Assert.That(
            CommandLine.Run("lowpass", "--images", TinyRun.Picture, "--size", "32", "--r", "4", "--out", sheet).Succeeds(),
            Does.Contain("of 1024").And.Contain(sheet));
    }

    [TestCase("--r", "4,x", "--r is '4,x', expected 1 to 12 different bandwidths from 0 to 1000000")]
    [TestCase("--r", "4,4", "--r is '4,4', expected 1 to 12 different bandwidths")]
    [TestCase("--r", "-1", "--r is '-1'")]
    [TestCase("--mode", "soft", "--mode is 'soft', expected exact or symmetric")]
    [TestCase("--size", "4", "--size is '4', expected a whole number from 8 to 1024")]
    [TestCase("--images", "none.jpg", "there is no picture 'none.jpg'")]
    public void A_wrong_option_is_named(string option, string value, string named) => CommandLine
        .Run("lowpass", "--images", TinyRun.Picture, "--out", At("sheet.png"), option, value).Fails(ExitCode.BadInput, named);
}
