using MimNative.Data;
using MimNative.Recipes;
using MimNative.Tests.Data;
using MimNative.Training;
using NUnit.Framework;

namespace MimNative.Tests.Training;

public sealed class RunFolderTests : FolderTests
{
    [SetUp]
    public void Write_pictures()
    {
        foreach (string name in (string[])["real/a.jpg", "real/in/b.png", "other/c.jpg"])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(At(name))!);
            File.WriteAllText(At(name), name);
        }
        Directory.CreateSymbolicLink(At("alias"), At("real"));
        Directory.CreateDirectory(At("way"));
        Directory.CreateSymbolicLink(At("way/back"), "..");
        Directory.CreateSymbolicLink(At("other/out"), At("elsewhere"));
        Directory.CreateDirectory(At("elsewhere"));
    }

    [TestCase("real", "real")]
    [TestCase("real", "real/run")]
    [TestCase("alias", "real/run")]
    [TestCase("real", "alias/run/a")]
    [TestCase("real", "way/back/real/in/run")]
    [TestCase("way/back/alias", "real/run")]
    [TestCase("other", "elsewhere/run")]            // through a link inside the data
    [TestCase("other", "other/out/run")]
    [TestCase("real/*", "real/run")]                // a folder that matches brings what is in it
    [TestCase("real/**", "alias/run")]
    [TestCase("{real,other}/**/*.{jpg,png}", "real/run")]
    [TestCase("*/*/*", "alias/run")]
    public void Run_among_its_pictures_is_refused(string data, string run)
    {
        Assert.That(() => Create(run, data),
                    Throws.TypeOf<ArgumentException>().With.Message.Contains(At(data)).And.Message.Contains("would become data"));
        Assert.That(Directory.Exists(At("real/run")), Is.False);
    }

    [TestCase("real", "run")]
    [TestCase("real", "real-run")]
    [TestCase("real", "way/run")]
    [TestCase("real/in", "real/run")]
    [TestCase("real/*.jpg", "real/run")]
    [TestCase("real/**/*.jpg", "real/run")]         // a run's pictures are PNG
    [TestCase("*/in/*", "real/run")]
    [TestCase("list.txt", "real/run")]
    public void Run_beside_its_pictures_is_made(string data, string run)
    {
        File.WriteAllText(At("list.txt"), "real/a.jpg");
        Assert.That(() => Create(run, data), Throws.Nothing);
    }

    [TestCase("pictures ")]
    [TestCase(" pictures")]
    [TestCase("two\nlines\n")]
    [TestCase("pictures\t")]
    [TestCase("pictures/*.jp[g]")]
    [TestCase("{pictures,more}/{1..1}.jpg")]
    [TestCase("pictures/{1.jpg,../more/1.jpg}")]
    public void Run_remembers_exactly_where_its_pictures_are(string data)
    {
        foreach (string folder in data.Contains('/') ? ["pictures", "more"] : new[] { data })
        {
            Directory.CreateDirectory(At(folder));
            File.WriteAllText(Path.Combine(At(folder), "1.jpg"), "picture");
        }
        RunFolder.Create(At("run"), Tiny, Path.GetRelativePath(".", At(data)));
        string remembered = RunFolder.Open(At("run")).DataPath;
        Assert.That(remembered, Is.EqualTo(At(data)));
        using var source = ImageSources.Open(remembered);
        Assert.That(FolderSourceTests.Names(source), Has.All.EndsWith("1.jpg"));
    }

    [Test]
    [Platform("Linux")]
    public void Run_remembers_a_folder_whose_name_is_no_text()
    {
        using var folder = new OddNames();
        folder.MakeFolder("caf\uDCE9");
        folder.Write("caf\uDCE9/1.jpg", "picture");
        RunFolder.Create(At("run"), Tiny, folder.At("caf\uFFFD"));
        using var source = ImageSources.Open(RunFolder.Open(At("run")).DataPath);
        Assert.That(source.Count, Is.EqualTo(1));
    }

    [TestCase("{0}\n")]
    [TestCase("{0}")]
    [TestCase(" {0} \r\n")]
    [TestCase("\uFEFF{0}\n\n")]
    public void Run_that_was_made_or_edited_by_others_opens(string line)
    {
        Create("run", "real");
        File.WriteAllText(At("run/data.txt"), string.Format(null, line, At("real")));
        Assert.That(RunFolder.Open(At("run")).DataPath, Is.EqualTo(At("real")));
    }

    private static Recipe Tiny => Recipe.Load("mae-vit-ti16");

    private RunFolder Create(string run, string data) => RunFolder.Create(At(run), Tiny, Path.Combine(Folder, data));
}
