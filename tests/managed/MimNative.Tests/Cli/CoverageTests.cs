using System.Text.Json;
using MimNative.Cli;
using MimNative.Data;
using NUnit.Framework;

namespace MimNative.Tests.Cli;

public sealed class CoverageTests : FolderTests
{
    [Test]
    public void Drawn_pictures_give_numbers_and_a_sheet()
    {
        string sheet = At("new/sheet.png");
        using var json = JsonDocument.Parse(CommandLine.Run(Coverage("drawn:12", "--draws", "30", "--out", sheet, "--json")).Succeeds());
        var root = json.RootElement;
        double visible = root.GetProperty("visible_patches").GetDouble();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(root.GetProperty("objects").GetInt32(), Is.EqualTo(12));
            Assert.That(visible, Is.EqualTo(0.25));
            Assert.That(File.Exists(sheet));
            Assert.That(root.GetProperty("crops").EnumerateArray().Select(c => c.GetProperty("crop").GetString()), Is.EqualTo(new[] { "RRC", "SRC", "CC" }));
        }
        double[] before = [.. root.GetProperty("crops").EnumerateArray().Select(c => c.GetProperty("before").GetDouble())];
        foreach (var crop in root.GetProperty("crops").EnumerateArray())
        {
            double ratio = crop.GetProperty("after_over_before").GetDouble(), error = crop.GetProperty("after_over_before_error").GetDouble();
            Assert.That(ratio, Is.EqualTo(visible).Within(4 * error));
            Assert.That(error, Is.LessThan(0.03));
        }
        Assert.That(before[1], Is.GreaterThan(before[0]));
    }

    [Test]
    public void Masks_that_the_demo_writes_beside_its_pictures_give_the_same_and_boxes_a_little_else()
    {
        using (var drawn = new ShapesSource(6, 80, 80, seed: 4))
        {
            drawn.Write(Folder);
        }
        string[] Table(params string[] arguments) =>
            [.. CommandLine.Run(Coverage(arguments[0], ["--seed", "4", "--draws", "5", .. arguments[1..]])).Succeeds().Split('\n')];
        double Share(string line) => double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture);

        string[] known = Table("drawn:6"), masks = Table(At("images"), "--objects", At("masks")), boxes = Table(At("images"), "--objects", At("masks"), "--boxes");
        Assert.That(masks[4], Is.EqualTo("6 objects in 6 of 6 pictures, 5 draws each, means with standard errors"));
        Assert.That(masks[5], Does.Contain("25.00 % of 4 x 4 patches visible"));
        // sorted by name, a folder numbers its pictures otherwise than the source that drew them
        Assert.That(Share(masks[3]), Is.EqualTo(Share(known[3])).Within(0.5));
        Assert.That(boxes[1], Is.Not.EqualTo(masks[1]));
    }

    [Test]
    public void What_is_wrong_is_named()
    {
        File.WriteAllText(At("00.xml"), "<annotation><object><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>49</xmax><ymax>5</ymax></bndbox></object></annotation>");
        File.WriteAllText(At("other.xml"), "<annotation></annotation>");
        File.WriteAllText(At("02.xml"), "<annotation></annotation>");
        foreach (var (arguments, named) in new (string[], string[])[]
        {
            ([], ["coverage needs --objects", "COCO JSON"]),
            (["--objects", At("00.xml")], [At("00.xml"), "object 1 has the box", "expected it inside '00.png' of 48 x 40 pixels"]),
            (["--objects", At("other.xml")], ["is about none of the 12 pictures"]),
            (["--objects", At("02.xml")], [At("02.xml"), "has no object in any of the 12 pictures"]),
            (["--objects", At("none")], ["does not exist", "COCO JSON"]),
            (["--objects", "central:2"], ["expected central:SHARE"]),
            (["--objects", "central:1", "--draws", "0"], ["--draws is '0'"]),
            (["--objects", "central:1", "--set", "mask.ratio=2"], ["mask.ratio"]),
            (["--objects", "central:1", "--out", Folder], ["it is a folder"]),
        })
        {
            CommandLine.Run(Coverage(TinyRun.Pictures, arguments)).Fails(arguments.Contains("--out") ? ExitCode.Unavailable : ExitCode.BadInput, named);
        }
        CommandLine.Run(Coverage("drawn:0")).Fails(ExitCode.BadInput, "--data is 'drawn:0', expected drawn:COUNT");
    }

    private static string[] Coverage(string data, params string[] more) => ["coverage", "--data", data, "--recipe", TinyRun.RecipeFile, .. more];
}
