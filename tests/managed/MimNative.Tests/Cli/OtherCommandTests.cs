using System.Buffers.Binary;
using System.Text.Json;
using MimNative.Cli;
using MimNative.Export;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Cli;

/// <summary>reconstruct, verify, export and info, and what people give them by mistake.</summary>
public sealed class OtherCommandTests : FolderTests
{
    [TestCase("random")]
    [TestCase("box:0,0,12,12")]
    [TestCase("patches:0,3-5,15")]
    public void Reconstruct_draws_a_sheet(string mask)
    {
        string sheet = At("new/folder/sheet.png");
        string output = CommandLine.Run(Reconstruct(TinyRun.Picture, "--mask", mask, "--out", sheet)).Succeeds();
        Assert.That(output, Does.Contain("of 16 patches").And.Contain(sheet));
        Assert.That(File.Exists(sheet), Is.True);
    }

    [TestCase("box:1,2,3", "expected random, box:LEFT,TOP,WIDTH,HEIGHT")]
    [TestCase("box:0,0,-3,4", "mask is 'box:0,0,-3,4'")]
    [TestCase("circle", "mask is 'circle'")]
    [TestCase("patches:", "mask is 'patches:'")]
    [TestCase("patches:9-3", "mask is 'patches:9-3'")]
    [TestCase("patches:3,16", "names patch 16, expected 0 to 15")]
    [TestCase("patches:0-15", "removes 16 of 16 patches")]
    [TestCase("box:0,0,2147483647,2147483647", "removes 16 of 16 patches")]
    [TestCase("box:2147483647,0,2147483647,1", "removes 0 of 16 patches")]
    [TestCase("file:none.png", "the mask 'none.png' cannot be read")]
    [TestCase("file:", "mask is 'file:'")]
    public void A_wrong_mask_is_named(string mask, params string[] named) =>
        CommandLine.Run(Reconstruct(TinyRun.Picture, "--mask", mask, "--out", At("sheet.png"))).Fails(ExitCode.BadInput, named);

    [Test]
    public void An_object_is_removed_that_a_file_tells_of()
    {
        // the larger one; the picture of 48 x 40 becomes 32 x 32, its columns 4 to 44
        File.WriteAllText(At("00.xml"), """
            <annotation>
              <object><bndbox><xmin>41</xmin><ymin>31</ymin><xmax>44</xmax><ymax>40</ymax></bndbox></object>
              <object><bndbox><xmin>5</xmin><ymin>1</ymin><xmax>24</xmax><ymax>15</ymax></bndbox></object>
            </annotation>
            """);
        string Output(string mask) =>
            CommandLine.Run(Reconstruct(TinyRun.Picture, "--mask", mask, "--objects", At("00.xml"), "--out", At("sheet.png"))).Succeeds();

        // 10 x 10 pixels of the picture a patch: 2 columns, one and a half row
        Assert.That(Output("object"), Does.Contain(", 4 of 16 patches removed"));
        Assert.That(Output("object:0.7"), Does.Contain(", 3 of 16 patches removed"));
        Assert.That(Output("object:0.1"), Does.Contain(", 1 of 16 patches removed"));
    }

    [Test]
    public void Several_runs_are_compared_on_one_sheet()
    {
        string other = TinyRun.CopyRun(At("other")), recipe = Path.Combine(other, "recipe.json");
        File.WriteAllText(recipe, File.ReadAllText(recipe).Replace("\"ratio\": 0.75", "\"ratio\": 0.5"));
        string output = CommandLine.Run(
            Reconstruct(TinyRun.Picture, "--run", other, "--show", "predicted", "--out", At("sheet.png"), "--json")).Succeeds();
        using var json = JsonDocument.Parse(output);
        var lines = json.RootElement.GetProperty("reconstructions").EnumerateArray().ToArray();
        Assert.That(lines.Select(l => l.GetProperty("run").GetString()), Is.EqualTo(new[] { TinyRun.Run, other }));
        Assert.That(lines.Select(l => l.GetProperty("removed").GetInt32()), Is.EqualTo(new[] { 12, 8 }));
        Assert.That(lines.Select(l => l.GetProperty("loss").GetDouble()), Has.All.GreaterThan(0));
        using var sheet = Image.Decode(File.ReadAllBytes(At("sheet.png")));
        Assert.That(sheet.Width, Is.EqualTo((5 * (128 + 6)) + 6), "original, and two masks and predictions");
        Assert.That(
            CommandLine.Run(Reconstruct(TinyRun.Picture, "--run", other, "--out", At("sheet.png"))).Succeeds(),
            Does.Contain($"{other}  {TinyRun.Picture}: loss "));
    }

    [Test]
    public void What_does_not_go_together_is_named()
    {
        string large = TinyRun.CopyRun(At("large")), recipe = Path.Combine(large, "recipe.json");
        File.WriteAllText(recipe, File.ReadAllText(recipe).Replace("\"height\": 32", "\"height\": 40"));
        foreach (var (arguments, named) in new (string[], string[])[]
        {
            (["--mask", "object"], ["--mask object needs --objects"]),
            (["--objects", "central:0.5"], ["--objects is for --mask object"]),
            (["--mask", "object:0", "--objects", "central:0.5"], ["mask is 'object:0'"]),
            (["--mask", "object", "--objects", "central:1"], ["mask 'object' removes 16 of 16 patches"]),
            (["--show", "pasted"], ["--show is for several runs"]),
            (["--show", "all", "--run", large], ["--show is 'all', expected pasted or predicted"]),
            (["--run", large], [$"the run '{large}' has pictures of 40 x 32 (height x width), expected 32 x 32 as '{TinyRun.Run}' has"]),
        })
        {
            CommandLine.Run(Reconstruct(TinyRun.Picture, ["--out", At("sheet.png"), .. arguments])).Fails(ExitCode.BadInput, named);
        }
    }

    [Test]
    public void A_picture_or_mask_that_is_missing_or_damaged_is_named()
    {
        File.WriteAllBytes(At("cut.jpg"), TinyRun.Jpeg[..200]);
        File.WriteAllBytes(At("empty.jpg"), []);
        foreach (var (picture, problem) in new[]
        {
            (At("none.jpg"), "there is no picture"), (At("cut.jpg"), "cannot be decoded"), (At("empty.jpg"), "cannot be decoded"),
            (TinyRun.RecipeFile, "cannot be decoded"), (TinyRun.Pictures, "there is no picture"),
        })
        {
            CommandLine.Run(Reconstruct(picture, "--out", At("sheet.png"))).Fails(ExitCode.BadInput, $"'{picture}'", problem);
        }
        CommandLine.Run(Reconstruct(TinyRun.Picture, "--mask", $"file:{At("cut.jpg")}", "--out", At("sheet.png")))
            .Fails(ExitCode.BadInput, $"the mask '{At("cut.jpg")}' cannot be decoded");
    }

    [Test]
    public void A_run_without_a_checkpoint_is_named()
    {
        string run = TinyRun.CopyRun(At("run"));
        Directory.Delete(Path.Combine(run, "checkpoints"), recursive: true);
        CommandLine.Run("reconstruct", "--run", run, "--images", TinyRun.Picture, "--out", At("sheet.png"))
            .Fails(ExitCode.BadInput, run, "has no checkpoint yet");
        CommandLine.Run("export", "--run", run, "--to", At("x.safetensors"))
            .Fails(ExitCode.BadInput, run, "has no checkpoint yet");
        Assert.That(CommandLine.Run("info", run).Succeeds(), Does.Contain("no checkpoint yet"));
    }

    [Test]
    public void A_place_that_cannot_be_written_is_named_before_the_work()
    {
        string below = Path.Combine(TinyRun.RecipeFile, "x.safetensors");
        CommandLine.Run("export", "--run", TinyRun.Run, "--to", below).Fails(ExitCode.Unavailable, $"'{below}' could not be written");
        CommandLine.Run("export", "--run", TinyRun.Run, "--to", Folder).Fails(ExitCode.Unavailable, $"'{Folder}'", "it is a folder");
        Finished sheet = CommandLine.Run(Reconstruct(TinyRun.Picture, "--out", below));
        sheet.Fails(ExitCode.Unavailable, $"'{below}' could not be written");
        Assert.That(sheet.Output, Is.Empty);
    }

    [Test]
    public void Export_writes_what_info_shows()
    {
        string encoder = At("out/encoder.safetensors"), full = At("out/full.safetensors");
        Assert.That(CommandLine.Run("export", "--run", TinyRun.Run, "--to", encoder).Succeeds(), Does.Contain("of step 9"));
        CommandLine.Run("export", "--run", TinyRun.Run, "--to", full, "--full").Succeeds();
        string tensors = CommandLine.Run("info", encoder).Succeeds();
        Assert.That(tensors, Does.Contain("recipe = tiny").And.Contain("cls_token F32 [1, 1, 32]").And.Not.Contain("decoder"));
        Assert.That(CommandLine.Run("info", full).Succeeds(), Does.Contain("decoder_pred.weight F32 [192, 16]"));
    }

    [Test]
    public void Info_shows_recipes_and_runs()
    {
        Assert.That(CommandLine.Run("info").Succeeds(), Does.Contain("mae-vit-b16"));
        Assert.That(CommandLine.Run("info", TinyRun.RecipeFile).Succeeds(), Does.Contain("\"name\": \"tiny\""));
        Assert.That(CommandLine.Run("info", TinyRun.Run).Succeeds(), Does.Contain("step 9, epoch 3 of 3"));
        Assert.That(CommandLine.Run("info", TinyRun.Run, "--json").Succeeds(), Does.Contain("\"step\": 9"));
    }

    [Test]
    public void Info_names_what_it_cannot_show()
    {
        CommandLine.Run("info", "mae-vit-b").Fails(ExitCode.BadInput, "there is no recipe 'mae-vit-b'", "did you mean");
        CommandLine.Run("info", TinyRun.Pictures).Fails(ExitCode.BadInput, $"'{TinyRun.Pictures}' holds no run");
        CommandLine.Run("info", At("none.safetensors")).Fails(ExitCode.BadInput, At("none.safetensors"), "there is no such file");
        CommandLine.Run("info", TinyRun.Picture).Fails(ExitCode.BadInput, TinyRun.Picture);
    }

    [Test]
    public void Verify_names_a_file_that_is_no_recorded_case()
    {
        string golden = Path.Combine(Golden.Repository, "tests", "golden", "op_gelu.safetensors");
        byte[] whole = File.ReadAllBytes(golden);
        File.WriteAllText(At("text.safetensors"), "this is some text");
        File.WriteAllBytes(At("cut.safetensors"), whole[..^50]);
        BinaryPrimitives.WriteUInt64LittleEndian(whole, 1UL << 63);
        File.WriteAllBytes(At("long.safetensors"), whole);
        Save("nameless.safetensors", []);
        Save("unknown.safetensors", new() { ["case"] = "astrology" });
        Save("poor.safetensors", new() { ["case"] = "gelu" });
        Save("mad.safetensors", new() { ["case"] = "sincos", ["dim"] = "2147483647", ["grid"] = "1e300", ["embed_dim"] = "-7" });

        foreach (var (file, problem) in new[]
        {
            ("none", "there is no such file"), ("text", "bytes"), ("cut", ""), ("long", "header of 9223372036854775808 bytes"),
            ("nameless", "case"), ("unknown", "case 'astrology' is not implemented yet"), ("poor", "case 'gelu' needs"), ("mad", ""),
        })
        {
            string path = At($"{file}.safetensors");
            Finished finished = CommandLine.Run("verify", path);
            finished.Fails(ExitCode.BadInput, path, problem);
            Assert.That(finished.Output, Does.StartWith("FAIL").And.Contain("0 of 1 files pass"));
        }
    }

    [Test]
    public void Verify_goes_on_after_a_file_that_cannot_be_read_and_tells_wrong_numbers_apart()
    {
        string golden = Path.Combine(Golden.Repository, "tests", "golden", "op_gelu.safetensors");
        Finished mixed = CommandLine.Run("verify", At("none.safetensors"), golden, "--brief");
        mixed.Fails(ExitCode.BadInput, "none.safetensors");
        Assert.That(mixed.Output, Does.Contain("1 of 2 files pass"));

        byte[] wrong = File.ReadAllBytes(golden);
        // the upper half of a float in the last tensor
        (wrong[^2], wrong[^1]) = (0x40, 0x49);
        File.WriteAllBytes(At("wrong.safetensors"), wrong);
        Finished failed = CommandLine.Run("verify", At("wrong.safetensors"), "--brief");
        Assert.That(failed.Code, Is.EqualTo(ExitCode.Failed), failed.Output);
        Assert.That(failed.Errors, Is.Empty);
    }

    private static string[] Reconstruct(string picture, params string[] more) =>
        ["reconstruct", "--run", TinyRun.Run, "--images", picture, "--threads", "1", .. more];

    private void Save(string name, Dictionary<string, string> metadata) =>
        SafetensorsWriter.Save(At(name), [SafetensorsTensor.Of("a", new float[1], 1)], metadata);
}
