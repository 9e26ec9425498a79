using MimNative.Export;
using NUnit.Framework;

namespace MimNative.Tests.Cli;

/// <summary>Each method from pictures to encoder, as a user runs it: pretrain, stop, resume, reconstruct, export, info.</summary>
public sealed class EveryMethodTests : FolderTests
{
    private static readonly string[] SimMim =
        ["method=simmim", "decoder.kind=linear", "mask.patch=16", "train.no_decay=[\"cls_token\"]", "train.clip=5"];

    private static IEnumerable<TestCaseData> Methods() => new (string Name, string[] Settings)[]
    {
        ("simmim, vit", [.. SimMim, "encoder.relative_position=shared_bias", "encoder.position=none", "encoder.drop_path=0.1"]),
        ("simmim, swin", [.. SimMim, "encoder.kind=swin", "encoder.depths=[2,1]", "encoder.stage_heads=[2,4]", "encoder.window=2"]),
        ("simmim, multistep", [.. SimMim, "train.schedule=multistep", "train.milestones=[2]", "target.kind=raw_pixels"]),
        ("lomar", ["method=lomar", "decoder.kind=linear", "mask.window=3", "mask.windows=2"]),
        ("lomar, windows of each image", ["method=lomar", "decoder.kind=mlp", "mask.window=3", "mask.shared_windows=false"]),
        ("convmae, pixmim",
        [
            "encoder.kind=conv_vit", "encoder.dims=[8,12,16]", "encoder.depths=[1,1,1]", "encoder.heads=2", "target.low_pass=6",
            "transform.kind=src",
        ]),
        ("lsmae, pixmim",
        [
            "mask.downsampling=2", "decoder.downsampling=2", "decoder.prediction_downsampling=2", "encoder.key_bias=false",
            "target.low_pass=6", "transform.kind=src",
        ]),
        ("mae, pixmim", ["target.low_pass=6", "transform.kind=src"]),
        ("simmim, pixmim", [.. SimMim, "target.low_pass=6", "target.low_pass_mode=symmetric", "transform.kind=src"]),
        ("simmim, timm cosine, coarse target", [.. SimMim, "train.schedule=timm_cosine", "target.reduction=4"]),
    }.Select(m => new TestCaseData((object)m.Settings).SetArgDisplayNames(m.Name));

    [TestCaseSource(nameof(Methods))]
    public void A_method_goes_from_pictures_to_an_encoder(string[] settings)
    {
        string recipe = At("method.json");
        File.WriteAllText(recipe, TinyRun.RecipeFor(settings).Replace(
            "\"epochs\": 3", "\"epochs\": 3, \"schedule\": \"cosine\"", StringComparison.Ordinal));
        string run = At("run"), whole = At("whole"), sheet = At("sheet.png"), encoder = At("encoder.safetensors");
        string[] Pretrain(string to, params string[] more) =>
            ["pretrain", "--recipe", recipe, "--data", TinyRun.Pictures, "--out", to, "--threads", "1", .. settings.SelectMany(s => new[] { "--set", s }), .. more];
        CommandLine.Run(Pretrain(whole)).Succeeds();
        CommandLine.Run(Pretrain(run, "--stop-after", "4")).Succeeds();
        CommandLine.Run("pretrain", "--resume", run, "--threads", "1").Succeeds();
        CommandLine.Run("reconstruct", "--run", run, "--images", TinyRun.Picture, "--out", sheet, "--threads", "1").Succeeds();
        CommandLine.Run("reconstruct", "--run", run, "--images", TinyRun.Picture, "--mask", "object:0.9", "--objects", "box:4,4,30,24", "--out", sheet, "--threads", "1").Succeeds();
        CommandLine.Run("export", "--run", run, "--to", encoder).Succeeds();
        CommandLine.Run("export", "--run", whole, "--to", At("whole.safetensors")).Succeeds();
        using var file = SafetensorsFile.Open(encoder);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(file.Entries.Select(e => e.Name), Has.Some.Match(@"^patch_embed1?\.proj\.weight$").And.Some.EqualTo("norm.bias"));
            Assert.That(File.ReadAllBytes(encoder), Is.EqualTo(File.ReadAllBytes(At("whole.safetensors"))), "a resumed run is the whole run");
        }
    }
}
