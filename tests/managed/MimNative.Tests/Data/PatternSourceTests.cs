using MimNative.Data;
using NUnit.Framework;

namespace MimNative.Tests.Data;

public sealed class PatternSourceTests : FolderTests
{
    [SetUp]
    public void Write_pictures() =>
        FolderSourceTests.Write(
            Folder, "a/1.jpg", "a/2.jpg", "a/3.png", "a/.4.jpg", "a/5.gif", "a/in/6.jpg", "a/@eaDir/7.jpg", "b/1.jpg", "b/x.txt",
            "c[1]/1.jpg", "c1/8.jpg", "{d,e}/9.jpg");

    [TestCase("a/*.jpg", "1.jpg 2.jpg")]
    [TestCase("a/?.*", "1.jpg 2.jpg 3.png")]
    [TestCase("a/[23].*", "2.jpg 3.png")]
    [TestCase("a/**/*.jpg", "1.jpg 2.jpg in/6.jpg")]
    [TestCase("a/*", "1.jpg 2.jpg 3.png in/6.jpg")]
    [TestCase("a/*/", "in/6.jpg")]
    [TestCase("*/1.jpg", "a/1.jpg b/1.jpg c[1]/1.jpg")]
    [TestCase("{b,a}/*.{jpg,png}", "a/1.jpg a/2.jpg a/3.png b/1.jpg")]
    [TestCase("{b,a}", "a/1.jpg a/2.jpg a/3.png a/in/6.jpg b/1.jpg")]
    [TestCase("a/{1..2}.jpg", "1.jpg 2.jpg")]
    [TestCase("a/{1,1}.jpg", "1.jpg")]
    [TestCase("a/{1*,*.jpg}", "1.jpg 2.jpg")]
    [TestCase("{a,b}/{1..1}.jpg", "a/1.jpg b/1.jpg")]
    [TestCase("{a/../a,b}/1.jpg", "a/1.jpg b/1.jpg")]
    public void Pattern_stands_for_files_sorted_by_name(string pattern, string names)
    {
        using var source = ImageSources.Open(At(pattern));
        Assert.That(source, Is.TypeOf<PatternSource>());
        Assert.That(FolderSourceTests.Names(source), Is.EqualTo(names.Split(' ')));
        Assert.That(source.ReadBytes(0, new ByteBuffer()).IsEmpty, Is.False);
    }

    [TestCase("c[1]", "1.jpg")]
    [TestCase("c[1]/*", "1.jpg")]
    [TestCase("{d,e}", "9.jpg")]
    [TestCase("{d,e}/*.jpg", "9.jpg")]
    public void What_exists_under_exactly_that_name_is_meant(string pattern, string names)
    {
        using var source = ImageSources.Open(At(pattern));
        Assert.That(FolderSourceTests.Names(source), Is.EqualTo(names.Split(' ')));
    }

    [TestCase("a/*.tif", "No file matches")]
    [TestCase("b/*.txt", "No file matches")]
    [TestCase("a/*.gif", "1 .gif")]
    [TestCase("gone/*.jpg", "The folder", "gone' of the pattern")]
    [TestCase("a/gone/x/*.jpg", "The folder", "a/gone/x' of the pattern")]
    [TestCase("a/{1..4}.jpg", "2 of the 4 names", "the first is '3.jpg'")]
    [TestCase("a/{1,3}.jpg", "1 of the 2 names", "is missing: '3.jpg'")]
    [TestCase("{a,gone}/*.jpg", "1 of the 2 names", "is missing: 'gone/*.jpg'")]
    [TestCase("a/{1..3}*.{jpg,png}x", "3 of the 6 names", "the first is '1*.jpgx'")]
    [TestCase("{000..999999999}.jpg", "stands for more than 1,000,000 names")]
    [TestCase("a/{1", "does not exist")]
    public void Pattern_that_finds_less_than_it_says_is_an_error(string pattern, params string[] said)
    {
        var error = Assert.Catch(() => ImageSources.Open(At(pattern)))!;
        Assert.That(said, Has.All.Matches<string>(part => error.Message.Contains(part, StringComparison.Ordinal)), error.Message);
        Assert.That(error.Message, Does.Contain(pattern));
    }

    [Test]
    public void List_in_braces_may_leave_endings_open_that_nothing_has()
    {
        using var source = ImageSources.Open(At("a/{1..2}*.{jpg,webp}"));
        Assert.That(FolderSourceTests.Names(source), Is.EqualTo(["1.jpg", "2.jpg"]));
    }

    [Test]
    public void What_is_left_out_is_told_once_for_the_whole_pattern()
    {
        FolderSourceTests.Write(Folder, "b/.git/x.jpg", "b/y.gif");
        using var source = ImageSources.Open(At("{a,b}/**/*.{jpg,gif}"));
        Assert.That(source.Warnings, Is.EqualTo(
        [
            "3 pictures lie under hidden names (docs/data.md) and were left out; the first is 'a/.4.jpg'.",
            "2 files of formats that are not read were passed over (2 .gif); the first is 'a/5.gif'.",
        ]));
    }

    [Test]
    public void Links_bring_no_file_twice()
    {
        Directory.CreateSymbolicLink(At("0"), At("a"));
        File.CreateSymbolicLink(At("b/2.jpg"), At("a/1.jpg"));
        using var source = ImageSources.Open(At("{0,a,b}/*.jpg"));
        Assert.That(FolderSourceTests.Names(source), Is.EqualTo(["a/1.jpg", "a/2.jpg", "b/1.jpg"]));
    }

    [Test]
    public void Shards_by_range_and_not_together_with_pictures()
    {
        for (int i = 0; i < 3; ++i)
        {
            ImageSourcesTests.WriteTar(At($"b/part-{i:D3}.tar"), "x.jpg");
        }
        using (var source = ImageSources.Open(At("b/part-{000..002}.tar")))
        {
            Assert.That(FolderSourceTests.Names(source), Is.EqualTo(["part-000.tar:x.jpg", "part-001.tar:x.jpg", "part-002.tar:x.jpg"]));
        }
        using (var source = ImageSources.Open(At("**/*.tar")))
        {
            Assert.That(source.Count, Is.EqualTo(3));
        }
        Assert.That(() => ImageSources.Open(At("b/part-{000..003}.tar")),
                    Throws.TypeOf<FileNotFoundException>().With.Message.Contains("1 of the 4 names").And.Message.Contains("'part-003.tar'"));
        Assert.That(() => ImageSources.Open(At("b/*")),
                    Throws.TypeOf<InvalidDataException>().With.Message.Contains("both pictures (1) and .tar shards (3)"));
    }
}
