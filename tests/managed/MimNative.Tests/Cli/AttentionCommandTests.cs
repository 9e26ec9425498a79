using System.Text.Json;
using MimNative.Cli;
using NUnit.Framework;

namespace MimNative.Tests.Cli;

/// <summary><c>mim attention</c> as a user runs it, on a MAE of 4 x 4 patches with a block of encoder and decoder each.</summary>
public sealed class AttentionCommandTests : FolderTests
{
    [Test]
    public void Attention_draws_maps_and_distances_and_tells_them()
    {
        string maps = At("new/maps.png"), plot = At("new/maps-distances.png");
        string output = CommandLine.Run(Attention("--out", maps, "--head", "all", "--query", "1,2", "--json")).Succeeds();
        using var json = JsonDocument.Parse(output);
        var layers = json.RootElement.GetProperty("layers").EnumerateArray().ToList();
        var pictures = json.RootElement.GetProperty("pictures").EnumerateArray().ToList();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(File.Exists(maps) && File.Exists(plot), Is.True);
            Assert.That(layers.Select(l => l.GetProperty("layer").GetString()), Is.EqualTo(new[] { "encoder.0", "decoder.0" }));
            Assert.That(layers.Select(l => l.GetProperty("mean_distance").GetDouble()), Has.All.InRange(1, 32 * Math.Sqrt(2)));
            Assert.That(json.RootElement.GetProperty("recomputation_error").GetDouble(), Is.LessThan(1e-5));
            Assert.That(pictures, Has.Count.EqualTo(2));
            Assert.That(pictures[0].GetProperty("maps").GetArrayLength(), Is.EqualTo(3), "two heads and one");
            var map = pictures[0].GetProperty("maps")[0];
            Assert.That(map.GetProperty("query_patch").GetInt32(), Is.EqualTo(6));
            Assert.That(
                map.GetProperty("class_weight").GetDouble() + map.GetProperty("weights").EnumerateArray().Sum(w => w.GetDouble()),
                Is.EqualTo(1).Within(1e-9));
        }
    }

    [Test]
    public void With_a_mask_the_encoder_sees_what_is_left_of_a_picture()
    {
        string output = CommandLine.Run(Attention("--out", At("maps.png"), "--mask", "patches:0-5", "--query", "3,3")).Succeeds();
        Assert.That(output, Does.Contain("query 3,3, visible").And.Contain("encoder.0").And.Contain("decoder.0"));
        CommandLine.Run(Attention("--out", At("maps.png"), "--mask", "patches:0-5", "--query", "0,1"))
            .Fails(ExitCode.BadInput, "the query patch 0,1 is hidden from encoder.0");
        Assert.That(
            CommandLine.Run(Attention("--out", At("maps.png"), "--mask", "patches:0-5", "--query", "0,1", "--layer", "decoder.0")).Succeeds(),
            Does.Contain("query 0,1, hidden"));
    }

    [TestCase("--layer", "encoder.1", "there is no layer 'encoder.1', expected all, encoder.0 or decoder.0")]
    [TestCase("--head", "1", "there is no head 1 in decoder.0, expected 0 or mean")]
    [TestCase("--head", "2", "there is no head 2 in encoder.0, expected 0 to 1 or mean")]
    [TestCase("--head", "first", "--head is 'first', expected mean, all or a number from 0")]
    [TestCase("--query", "4,0", "--query is 4,0, expected a row from 0 to 3 and a column from 0 to 3")]
    [TestCase("--query", "-1,0", "--query is '-1,0', expected ROW,COL")]
    [TestCase("--query", "3", "--query is '3', expected ROW,COL")]
    [TestCase("--mask", "circle", "mask is 'circle'")]
    [TestCase("--mask", "object:0.9", "mask 'object:0.9' needs an object, and attention knows none")]
    public void A_wrong_option_is_named(string option, string value, string named) =>
        CommandLine.Run([.. Attention("--out", At("maps.png")), option, value]).Fails(ExitCode.BadInput, named);

    [Test]
    public void A_picture_that_cannot_be_read_is_named() =>
        CommandLine.Run("attention", "--run", TinyRun.Run, "--images", TinyRun.RecipeFile, "--out", At("maps.png"))
            .Fails(ExitCode.BadInput, $"the picture '{TinyRun.RecipeFile}' cannot be decoded");

    private static string[] Attention(params string[] more) =>
        ["attention", "--run", TinyRun.Run, "--images", TinyRun.Picture, Path.Combine(TinyRun.Pictures, "10.jpg"), .. more];
}
