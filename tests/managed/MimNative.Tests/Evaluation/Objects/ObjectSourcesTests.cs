using MimNative.Data;
using MimNative.Evaluation.Objects;
using MimNative.Export;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Evaluation.Objects;

/// <summary>Pictures of 20 x 10 pixels (width x height) named in two folders.</summary>
public sealed class ObjectSourcesTests : FolderTests
{
    private const int Height = 10, Width = 20;

    private static readonly string[] Names = ["cat/a.jpg", "cat/b.JPEG", "dog/a.png", "dog/c.webp"];

    [Test]
    public void Voc_boxes_hold_the_pixels_at_both_ends_and_count_from_1()
    {
        Xml("cat/b.xml", "<object><name>cat</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>20</xmax><ymax>2</ymax></bndbox></object>" +
            "<object><bndbox><xmin>3.5</xmin><ymin>4</ymin><xmax>5</xmax><ymax>8</ymax></bndbox>" +
            "<part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>99</xmax><ymax>99</ymax></bndbox></part></object>");
        var objects = ObjectSources.Open(At("voc"), Names);
        Assert.That(objects.Pictures, Is.EqualTo(new[] { 1 }));
        Assert.That(
            objects.Read(1, Height, Width).Select(o => o.Bounds),
            Is.EqualTo(new[] { new Region(1, 0, 2, 20), new Region(3, 2.5, 8, 5) }));
        Assert.That(objects.Read(0, Height, Width), Is.Empty);
        Assert.That(objects.Notes, Is.Empty);
    }

    [Test]
    public void Voc_boxes_may_count_from_0()
    {
        Xml("b.xml", Box(0, 0, 19, 9));
        Assert.That(ObjectSources.Open(At("voc/b.xml"), Names, firstPixel: 0).Read(1, Height, Width)[0].Bounds, Is.EqualTo(new Region(0, 0, 10, 20)));
    }

    [TestCase("<object><bndbox><xmin>0</xmin><ymin>1</ymin><xmax>5</xmax><ymax>5</ymax></bndbox></object>",
        "object 1 has the box xmin 0, ymin 1, xmax 5, ymax 5 (counted from 1), expected it inside 'cat/b.JPEG' of 20 x 10 pixels")]
    [TestCase("<object><name> cat </name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>21</xmax><ymax>5</ymax></bndbox></object>",
        "object 1 ('cat') has the box xmin 1, ymin 1, xmax 21, ymax 5", "expected it inside")]
    [TestCase("<object><bndbox><xmin>7</xmin><ymin>1</ymin><xmax>6</xmax><ymax>5</ymax></bndbox></object>",
        "object 1 has the box xmin 7", "expected a box that is more than 0 pixels wide and high")]
    [TestCase("<object><bndbox><xmin>7</xmin><ymin>1</ymin><xmax>8</xmax><ymax>five</ymax></bndbox></object>",
        "<ymax> of object 1 is 'five', expected a number")]
    [TestCase("<object><bndbox><xmin>7</xmin><ymin>1</ymin><xmax>8</xmax></bndbox></object>", "object 1 has no <ymax>, expected a number")]
    [TestCase("<object><name>x</name></object>", "object 1 ('x') has no <bndbox>")]
    [TestCase("<size><width>10</width><height>20</height></size>",
        "describes a picture of 10 x 20 pixels (width x height), but 'cat/b.JPEG' has 20 x 10")]
    [TestCase("<object>", "is no XML of Pascal VOC: ", "line")]
    public void What_is_wrong_in_a_voc_file_is_named(string inside, params string[] named)
    {
        Xml("cat/b.xml", inside);
        var objects = ObjectSources.Open(At("voc"), Names);
        Fails(() => objects.Read(1, Height, Width), [At("voc/cat/b.xml"), .. named]);
    }

    [Test]
    public void Xml_of_another_kind_and_document_types_are_refused()
    {
        Write("voc/cat/b.xml", "<svg></svg>");
        Fails(() => ObjectSources.Open(At("voc"), Names).Read(1, Height, Width), "begins with <svg>, expected Pascal VOC's <annotation>");
        Write("voc/cat/b.xml", "<!DOCTYPE annotation [<!ENTITY a \"x\">]><annotation>&a;</annotation>");
        Fails(() => ObjectSources.Open(At("voc"), Names).Read(1, Height, Width), "is no XML of Pascal VOC", "DTD");
    }

    [Test]
    public void Files_find_their_picture_by_the_end_of_its_path()
    {
        var pictures = new PictureNames(["VOC/JPEGImages/2007.jpg", "x/1.png", "y/1.png", "shard.tar:z/3.jpg", "./w.jpg"]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(pictures.Find("2007.xml", "f"), Is.Zero);
            Assert.That(pictures.Find("deep/down/x/1.xml", "f"), Is.EqualTo(1));
            Assert.That(pictures.Find("y/1.xml", "f"), Is.EqualTo(2));
            Assert.That(pictures.Find("z/3.xml", "f"), Is.EqualTo(3));
            Assert.That(pictures.Find("w.xml", "f"), Is.EqualTo(4));
            Assert.That(pictures.Find("z/1.xml", "f"), Is.Null);
            Assert.That(pictures.Find("other.xml", "f"), Is.Null);
        }
        Fails(() => pictures.Find("1.xml", "f.xml"), "f.xml", "'1.xml' could be about 'x/1.png' or 'y/1.png'");
    }

    [Test]
    public void A_file_for_other_pictures_is_named_and_one_among_others_is_told()
    {
        Xml("cat/z.xml", Box(1, 1, 2, 2));
        Fails(() => ObjectSources.Open(At("voc"), Names), $"{At("voc/cat/z.xml")}: is about none of the 4 pictures; its first is 'cat/z.xml', the first picture is 'cat/a.jpg'");
        Xml("cat/a.xml", Box(1, 1, 2, 2));
        Assert.That(ObjectSources.Open(At("voc"), Names).Notes, Is.EqualTo(new[] { $"1 of 2 files in '{At("voc")}' are about none of the pictures" }));
        Xml("more/cat/a.xml", Box(1, 1, 2, 2));
        Fails(() => ObjectSources.Open(At("voc"), Names), "is about 'cat/a.jpg', and so is ", "expected one file for a picture");
    }

    [Test]
    public void Masks_count_every_pixel_that_is_not_black()
    {
        Mask("dog/c.png", Height, Width, (5, 0, 1), (5, 1, 0), (7, 19, 2));
        var objects = ObjectSources.Open(At("masks"), Names);
        var mask = objects.Read(3, Height, Width).Single();
        Assert.That(objects.Pictures, Is.EqualTo(new[] { 3 }));
        Assert.That(mask.Area, Is.EqualTo(3));
        Assert.That(mask.Bounds, Is.EqualTo(new Region(5, 0, 8, 20)));
        Assert.That(new BoundingBoxes(objects).Read(3, Height, Width).Single().Area, Is.EqualTo(60));
    }

    [Test]
    public void What_is_wrong_with_a_mask_is_named()
    {
        Mask("a.png", 12, Width, (0, 0, 0));
        Mask("b.png", Height, Width);
        Write("masks/c.png", "no picture");
        var objects = ObjectSources.Open(At("masks"), ["a.jpg", "b.jpg", "c.jpg"]);
        Fails(() => objects.Read(0, Height, Width), At("masks/a.png"), "the mask is 20 x 12 (width x height), expected 20 x 10 as 'a.jpg' is");
        Fails(() => objects.Read(1, Height, Width), At("masks/b.png"), "every pixel of the mask is black");
        Fails(() => objects.Read(2, Height, Width), At("masks/c.png"), "the mask cannot be decoded");
        Fails(() => ObjectSources.Open(At("masks/a.png"), ["b.jpg"]), At("masks/a.png"), "its first is 'a.png', the first picture is 'b.jpg'");
    }

    [Test]
    public void Drawn_pictures_know_their_objects()
    {
        using var source = new ShapesSource(count: 3, height: 40, width: 50, seed: 2);
        var objects = new DrawnObjects(source);
        using var picture = source.Draw(1);
        double covered = 0;
        for (var i = 0; i < 40 * 50; i++)
        {
            covered += picture.Mask.Pixels[3 * i] / 255.0;
        }
        Assert.That(objects.Pictures, Is.EqualTo(new[] { 0, 1, 2 }));
        Assert.That(objects.Read(1, 40, 50).Single().Area, Is.EqualTo(covered).Within(1e-3));
        Assert.That(() => objects.Read(1, 50, 40), Throws.ArgumentException.With.Message.Contains("50 x 40 (width x height); 40 x 50 came"));
    }

    [Test]
    public void Rules_give_every_picture_a_box()
    {
        var central = ObjectSources.Open("central:0.25", Names);
        Assert.That(central.Pictures, Is.EqualTo(new[] { 0, 1, 2, 3 }));
        Assert.That(central.Read(2, 10, 20).Single().Bounds, Is.EqualTo(new Region(2.5, 5, 7.5, 15)));
        var box = ObjectSources.Open("box:15,2,5,8", Names);
        Assert.That(box.Read(2, 10, 20).Single().Bounds, Is.EqualTo(new Region(2, 15, 10, 20)));
        Assert.That(
            () => box.Read(2, 20, 10),
            Throws.TypeOf<FormatException>().With.Message.EqualTo(
                "the objects are 'box:15,2,5,8', expected a box inside 'dog/a.png' of 10 x 20 pixels (width x height)"));
    }

    [TestCase("central:", "expected central:SHARE")]
    [TestCase("central:0", "above 0, at most 1")]
    [TestCase("central:1.5", "above 0, at most 1")]
    [TestCase("central:nan", "above 0, at most 1")]
    [TestCase("box:1,2,3", "expected box:LEFT,TOP,WIDTH,HEIGHT")]
    [TestCase("box:1,2,0,3", "width and height above 0")]
    [TestCase("box:-1,2,3,3", "expected box:LEFT,TOP,WIDTH,HEIGHT")]
    [TestCase("box:1,2,3,4,5", "expected box:LEFT,TOP,WIDTH,HEIGHT")]
    [TestCase("none.json", "does not exist; expected a folder of Pascal VOC XML files")]
    public void A_text_that_is_no_source_of_objects_is_named(string text, string problem) => Assert.That(
        () => ObjectSources.Open(text, Names), Throws.TypeOf<FormatException>().With.Message.StartsWith($"the objects are '{text}'").And.Message.Contains(problem));

    [Test]
    public void A_folder_of_no_kind_or_of_both_is_named()
    {
        Write("both/a.txt", "");
        Fails(() => ObjectSources.Open(At("both"), Names), At("both"), "neither XML files nor PNGs");
        Write("both/a.xml", "");
        Write("both/b.png", "");
        Fails(() => ObjectSources.Open(At("both"), Names), At("both"), "both XML files (1) and PNGs (1)");
        Fails(() => ObjectSources.Open(At("both/a.txt"), Names), At("both/a.txt"), "ends in '.TXT'");
    }

    private static string Box(int left, int top, int right, int bottom) =>
        $"<object><bndbox><xmin>{left}</xmin><ymin>{top}</ymin><xmax>{right}</xmax><ymax>{bottom}</ymax></bndbox></object>";

    private static void Fails(Action action, params string[] named)
    {
        var error = Assert.Throws<InvalidFileException>(() => action());
        foreach (var part in named)
        {
            Assert.That(error!.Message, Does.Contain(part));
        }
    }

    private void Xml(string name, string inside) => Write("voc/" + name, $"<annotation><folder>x</folder>{inside}</annotation>");

    private void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(name))!);
        File.WriteAllText(At(name), text);
    }

    private void Mask(string name, int height, int width, params (int Y, int X, int Channel)[] marked)
    {
        using var mask = Image.Create(height, width);
        foreach (var (y, x, channel) in marked)
        {
            mask.Pixels[(((y * width) + x) * 3) + channel] = 1;
        }
        Directory.CreateDirectory(Path.GetDirectoryName(At("masks/" + name))!);
        File.WriteAllBytes(At("masks/" + name), mask.EncodePng());
    }
}
