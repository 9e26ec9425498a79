using System.Globalization;
using System.Text.Json;
using MimNative.Data;
using MimNative.Export;
using MimNative.Runtime;

namespace MimNative.Evaluation.Objects;

/// <summary>The objects of a COCO file: the outline where there is one, else the box.</summary>
internal sealed class CocoObjects : IPictureObjects
{
    private readonly string _file;
    private readonly PictureNames _names;
    private readonly Dictionary<int, CocoImage> _images = [];
    private readonly ILookup<long, CocoAnnotation> _annotations;

    public CocoObjects(string file, PictureNames names)
    {
        (_file, _names) = (file, names);
        var content = Load(file);
        var images = content.Images ?? throw new InvalidFileException(file, "is no COCO file: it has no list 'images'");
        var annotations = content.Annotations ?? throw new InvalidFileException(file, "is no COCO file: it has no list 'annotations'");
        var ids = new HashSet<long>();
        foreach (var image in images)
        {
            if (!ids.Add(image.Id))
            {
                throw new InvalidFileException(file, $"has two images of the id {image.Id}");
            }
            if (names.Find(image.FileName, file) is { } picture && !_images.TryAdd(picture, image))
            {
                throw new InvalidFileException(file, $"has two images that are '{names.Names[picture]}'");
            }
        }
        if (_images.Count == 0)
        {
            throw names.Foreign(file, images.Length == 0 ? "" : images[0].FileName);
        }
        foreach (var lost in annotations.Where(a => !ids.Contains(a.ImageId)).Take(1))
        {
            throw new InvalidFileException(file, $"annotation {lost.Id} is about the image {lost.ImageId}, which is not among 'images'");
        }
        _annotations = annotations.ToLookup(a => a.ImageId);
        Notes = images.Length == _images.Count ? [] : [$"{images.Length - _images.Count} of {images.Length} images in '{file}' are none of the pictures"];
        Pictures = [.. _images.Where(i => _annotations.Contains(i.Value.Id)).Select(i => i.Key).Order()];
    }

    public IReadOnlyList<int> Pictures { get; }

    public IReadOnlyList<string> Notes { get; }

    public IReadOnlyList<PictureObject> Read(int picture, int height, int width)
    {
        if (!_images.TryGetValue(picture, out var image))
        {
            return [];
        }
        if ((image.Height ?? height) != height || (image.Width ?? width) != width)
        {
            throw new InvalidFileException(
                _file, $"image {image.Id} is {image.Width} x {image.Height} pixels (width x height), but '{_names.Names[picture]}' has " +
                $"{width} x {height}");
        }
        return [.. _annotations[image.Id].Select(a => Read(a, _names.Names[picture], height, width))];
    }

    private PictureObject Read(CocoAnnotation annotation, string picture, int height, int width)
    {
        var what = $"annotation {annotation.Id}";
        if (annotation.Outline is { Runs: { } runs })
        {
            return FromRuns(runs, what, picture, height, width);
        }
        if (annotation.Outline is { } outline)
        {
            return FromPolygons(outline.Polygons, what, picture, height, width);
        }
        return annotation.Box is [var left, var top, var w, var h] box
            ? new BoxObject(CheckedBox.Inside(
                new Region(top, left, top + h, left + w), $"{what} has the bbox [{Numbers(box)}]", _file, picture, height, width))
            : throw new InvalidFileException(
                _file, annotation.Box is { } other
                    ? $"the bbox of {what} has {other.Length} numbers, expected 4: left, top, width, height"
                    : $"{what} has neither bbox nor segmentation");
    }

    private MaskObject FromPolygons(double[][] polygons, string what, string picture, int height, int width)
    {
        foreach (var polygon in polygons.Where(p => p.Length < 6 || p.Length % 2 != 0).Take(1))
        {
            throw new InvalidFileException(_file, $"a polygon of {what} has {polygon.Length} numbers, expected the x and y of 3 points or more");
        }
        double[] xs = [.. polygons.SelectMany(p => p.Where((_, i) => i % 2 == 0))];
        double[] ys = [.. polygons.SelectMany(p => p.Where((_, i) => i % 2 == 1))];
        var bounds = CheckedBox.Inside(
            new Region(ys.Min(), xs.Min(), ys.Max(), xs.Max()),
            $"{what} has an outline from [{Numbers([xs.Min(), ys.Min()])}] to [{Numbers([xs.Max(), ys.Max()])}]", _file, picture, height, width);
        int first = (int)bounds.Top, left = (int)bounds.Left;
        var place = new Box(first, left, (int)Math.Ceiling(bounds.Bottom) - first, (int)Math.Ceiling(bounds.Right) - left);
        return Mask(place, PolygonShares.Of(polygons, place), what);
    }

    private MaskObject FromRuns(RunLengths runs, string what, string picture, int height, int width)
    {
        if (runs.Height != height || runs.Width != width)
        {
            throw new InvalidFileException(
                _file, $"the mask of {what} is {runs.Width} x {runs.Height} (width x height), but '{picture}' has {width} x {height}");
        }
        var shares = runs.Shares() ?? throw new InvalidFileException(
            _file, $"the run lengths of {what} do not add up to the {width} x {height} pixels of '{picture}'");
        return Mask(new Box(0, 0, height, width), shares, what);
    }

    private MaskObject Mask(Box place, float[] shares, string what) => shares.AsSpan().ContainsAnyExcept(0f)
        ? new MaskObject(place, shares)
        : throw new InvalidFileException(_file, $"the outline of {what} holds no part of a pixel");

    private static CocoFile Load(string file)
    {
        try
        {
            using var stream = File.OpenRead(file);
            return JsonSerializer.Deserialize(stream, CocoJson.Default.CocoFile)
                ?? throw new InvalidFileException(file, "is no COCO file: it holds null");
        }
        catch (JsonException e)
        {
            var place = e.Path is { Length: > 1 } path ? $"{path}, line {e.LineNumber + 1}" : $"line {e.LineNumber + 1}";
            throw new InvalidFileException(file, $"is no COCO file: {place} is no JSON of that form", e);
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            throw new InvalidFileException(file, $"cannot be read: {DiskFailure.Reason(e)}", e);
        }
    }

    private static string Numbers(double[] values) => string.Join(", ", values.Select(v => v.ToString(CultureInfo.InvariantCulture)));
}
