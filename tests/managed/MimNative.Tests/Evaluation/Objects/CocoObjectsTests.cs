using MimNative.Data;
using MimNative.Evaluation.Objects;
using MimNative.Export;
using NUnit.Framework;

namespace MimNative.Tests.Evaluation.Objects;

/// <summary>Of the pictures a.jpg and b.jpg, b has 10 rows and 20 columns.</summary>
public sealed class CocoObjectsTests : FolderTests
{
    private static readonly string[] Names = ["a.jpg", "b.jpg"];

    [TestCase("\"bbox\": [2.5, 1, 4, 3]", 12, 1, 2.5, 4, 6.5)]
    [TestCase("\"bbox\": [-0.4, 0, 20.9, 10]", 200, 0, 0, 10, 20)]  // rounding
    [TestCase("\"bbox\": [0, 0, 1, 1], \"segmentation\": []", 1, 0, 0, 1, 1)]
    [TestCase("\"bbox\": [0, 0, 1, 1], \"segmentation\": [[2, 2, 8, 2, 8, 6, 2, 6], [10, 1, 12, 1, 12, 2, 10, 2]]", 26, 1, 2, 6, 12)]
    [TestCase("\"segmentation\": {\"size\": [10, 20], \"counts\": [10, 3, 7, 2, 178]}", 5, 0, 1, 3, 3)]
    [TestCase("\"segmentation\": {\"size\": [10, 20], \"counts\": \":37O[5\"}", 5, 0, 1, 3, 3)]  // the same as COCO's text
    public void An_annotation_is_an_object(string annotation, double area, double top, double left, double bottom, double right)
    {
        var objects = Open(annotation);
        var found = objects.Read(1, 10, 20).Single();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(objects.Pictures, Is.EqualTo(new[] { 1 }));
            Assert.That(found.Area, Is.EqualTo(area).Within(1e-4));
            Assert.That(found.Bounds, Is.EqualTo(new Region(top, left, bottom, right)));
            Assert.That(objects.Read(0, 5, 5), Is.Empty);
        }
    }

    [TestCase(10, 3, 7, 2, 178)]
    [TestCase(0, 200)]
    [TestCase(31, 32, 33, 1000, 0, 100000, 1, 5)]
    public void Run_lengths_are_read_from_cocos_text(params int[] counts) =>
        Assert.That(RunLengths.Decode(Encode(counts)), Is.EqualTo(counts.Select(c => (long)c)));

    [TestCase("\"bbox\": [15, 1, 6, 3]", "annotation 7 has the bbox [15, 1, 6, 3], expected it inside 'b.jpg' of 20 x 10 pixels (width x height)")]
    [TestCase("\"bbox\": [20.2, 1, 0.5, 3]", "annotation 7 has the bbox [20.2, 1, 0.5, 3], expected it inside")]
    [TestCase("\"bbox\": [1, 1, 0, 3]", "annotation 7 has the bbox [1, 1, 0, 3], expected a box that is more than 0 pixels wide and high")]
    [TestCase("\"bbox\": [1, 1, 3]", "the bbox of annotation 7 has 3 numbers, expected 4")]
    [TestCase("\"x\": 1", "annotation 7 has neither bbox nor segmentation")]
    [TestCase("\"segmentation\": [[1, 1, 2, 2]]", "a polygon of annotation 7 has 4 numbers")]
    [TestCase("\"segmentation\": [[1, 1, 2, 2, 3, 3, 4]]", "a polygon of annotation 7 has 7 numbers")]
    [TestCase("\"segmentation\": [[1, 1, 3, 1, 3, 12]]", "annotation 7 has an outline from [1, 1] to [3, 12], expected it inside 'b.jpg'")]
    [TestCase("\"segmentation\": [[1, 1, 5, 1, 9, 1]]", "annotation 7 has an outline from [1, 1] to [9, 1], expected a box that is more than 0")]
    [TestCase("\"segmentation\": [[1, 1.001, 5, 1.001, 9, 1.002]]", "the outline of annotation 7 holds no part of a pixel")]
    [TestCase("\"segmentation\": {\"size\": [10, 20], \"counts\": [10, 3]}", "the run lengths of annotation 7 do not add up to the 20 x 10 pixels of 'b.jpg'")]
    [TestCase("\"segmentation\": {\"size\": [10, 20], \"counts\": [10, -3, 193]}", "the run lengths of annotation 7 do not add up")]
    [TestCase("\"segmentation\": {\"size\": [10, 20], \"counts\": [200]}", "the outline of annotation 7 holds no part of a pixel")]
    [TestCase("\"segmentation\": {\"size\": [20, 10], \"counts\": [200]}", "the mask of annotation 7 is 10 x 20 (width x height), but 'b.jpg' has 20 x 10")]
    public void What_is_wrong_with_an_annotation_is_named(string annotation, string problem)
    {
        var objects = Open(annotation);
        Fails(() => objects.Read(1, 10, 20), problem);
    }

    [TestCase("", "is no COCO file: line 1")]
    [TestCase("null", "it holds null")]
    [TestCase("{\"images\": [", "is no COCO file: ")]
    [TestCase("[]", "is no COCO file: ")]
    [TestCase("{\"annotations\": []}", "it has no list 'images'")]
    [TestCase("{\"images\": []}", "it has no list 'annotations'")]
    [TestCase("{\"images\": [], \"annotations\": []}", "is about none of the 2 pictures")]
    [TestCase("{\"images\": [{\"id\": 1, \"file_name\": \"z.jpg\"}], \"annotations\": []}", "is about none of the 2 pictures; its first is 'z.jpg', the first picture is 'a.jpg'")]
    [TestCase("{\"images\": [{\"id\": \"one\", \"file_name\": \"a.jpg\"}], \"annotations\": []}", "is no COCO file: $.images[0].id, line 1")]
    [TestCase("{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\"}, {\"id\": 1, \"file_name\": \"b.jpg\"}], \"annotations\": []}", "has two images of the id 1")]
    [TestCase("{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\"}, {\"id\": 2, \"file_name\": \"a.png\"}], \"annotations\": []}", "has two images that are 'a.jpg'")]
    [TestCase("{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\"}], \"annotations\": [{\"id\": 3, \"image_id\": 2}]}", "annotation 3 is about the image 2, which is not among 'images'")]
    [TestCase("{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\"}], \"annotations\": [{\"id\": 3, \"image_id\": 1, \"segmentation\": {\"size\": 3}}]}",
        "is no COCO file: $.annotations[0].segmentation")]
    [TestCase("{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\"}], \"annotations\": [{\"id\": 3, \"image_id\": 1, \"segmentation\": {\"size\": [1, 1], \"counts\": \"~\"}}]}",
        "is no COCO file: $.annotations[0].segmentation")]
    public void What_is_wrong_with_a_file_is_named(string json, string problem)
    {
        File.WriteAllText(At("coco.json"), json);
        Fails(() => ObjectSources.Open(At("coco.json"), Names), problem);
    }

    [Test]
    public void A_picture_of_another_size_is_named()
    {
        var objects = Open("\"bbox\": [1, 1, 3, 3]");
        Fails(() => objects.Read(1, 20, 10), "image 5 is 20 x 10 pixels (width x height), but 'b.jpg' has 10 x 20");
    }

    [Test]
    public void Images_that_are_none_of_the_pictures_are_told()
    {
        File.WriteAllText(At("coco.json"), """
            {"images": [{"id": 1, "file_name": "b.jpg"}, {"id": 2, "file_name": "c.jpg"}],
             "annotations": [{"id": 1, "image_id": 2, "bbox": [0, 0, 1, 1]}, {"id": 2, "image_id": 1, "bbox": [0, 0, 1, 1], "iscrowd": 1}]}
            """);
        var objects = ObjectSources.Open(At("coco.json"), Names);
        Assert.That(objects.Notes.Single(), Does.StartWith("1 of 2 images in"));
        Assert.That(objects.Read(1, 9, 9), Has.Count.EqualTo(1), "a size that is not given is not checked");
    }

    private IPictureObjects Open(string annotation)
    {
        File.WriteAllText(At("coco.json"), $$"""
            {"info": {"year": 2026}, "images": [{"id": 5, "file_name": "train/b.jpg", "height": 10, "width": 20}],
             "annotations": [{"id": 7, "image_id": 5, "category_id": 1, {{annotation}}}], "categories": []}
            """);
        return ObjectSources.Open(At("coco.json"), Names);
    }

    private void Fails(Action action, string problem) => Assert.That(
        () => action(), Throws.TypeOf<InvalidFileException>().With.Message.StartsWith(At("coco.json")).And.Message.Contains(problem));

    // The inverse of what is tested, written from COCO's description.
    private static string Encode(int[] counts)
    {
        var text = new List<char>();
        for (var i = 0; i < counts.Length; i++)
        {
            long value = counts[i] - (i > 2 ? counts[i - 2] : 0);
            bool more;
            do
            {
                var bits = value & 31;
                value >>= 5;
                more = (bits & 16) != 0 ? value != -1 : value != 0;
                text.Add((char)((more ? bits | 32 : bits) + 48));
            }
            while (more);
        }
        return new string([.. text]);
    }
}
