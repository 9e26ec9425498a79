using System.Globalization;
using System.Xml;
using System.Xml.Linq;
using MimNative.Data;
using MimNative.Export;

namespace MimNative.Evaluation.Objects;

/// <summary>Boxes in Pascal VOC's XML files, one for a picture; the pixels at both ends of a box are in it.</summary>
/// <param name="folder">The folder of the files.</param>
/// <param name="files">The files.</param>
/// <param name="names">The pictures.</param>
/// <param name="firstPixel">The number of the first pixel of a row or column: 1, in files that count from 0: 0.</param>
internal sealed class VocFiles(string folder, IReadOnlyList<string> files, PictureNames names, int firstPixel)
    : ObjectFiles(folder, files, names)
{
    private const long LongestFile = 10_000_000;

    protected override IReadOnlyList<PictureObject> ReadFile(string file, string picture, int height, int width)
    {
        var root = Load(file);
        if (root.Name.LocalName != "annotation")
        {
            throw new InvalidFileException(file, $"begins with <{root.Name.LocalName}>, expected Pascal VOC's <annotation>");
        }
        if (root.Element("size") is { } size)
        {
            double w = Number(size, "width", file, "<size>"), h = Number(size, "height", file, "<size>");
            if (w != width || h != height)
            {
                throw new InvalidFileException(
                    file, Invariant($"describes a picture of {w} x {h} pixels (width x height), but '{picture}' has {width} x {height}"));
            }
        }
        return [.. root.Elements("object").Select((o, i) => Read(o, i + 1, file, picture, height, width))];
    }

    private BoxObject Read(XElement element, int number, string file, string picture, int height, int width)
    {
        var what = element.Element("name")?.Value is { Length: > 0 } name ? $"object {number} ('{name.Trim()}')" : $"object {number}";
        var box = element.Element("bndbox") ?? throw new InvalidFileException(file, $"{what} has no <bndbox>");
        double left = Number(box, "xmin", file, what), top = Number(box, "ymin", file, what);
        double right = Number(box, "xmax", file, what), bottom = Number(box, "ymax", file, what);
        return new BoxObject(CheckedBox.Inside(
            new Region(top - firstPixel, left - firstPixel, bottom - firstPixel + 1, right - firstPixel + 1),
            Invariant($"{what} has the box xmin {left}, ymin {top}, xmax {right}, ymax {bottom} (counted from {firstPixel})"), file,
            picture, height, width));
    }

    private static XElement Load(string file)
    {
        var settings = new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            MaxCharactersInDocument = LongestFile,
        };
        try
        {
            using var reader = XmlReader.Create(file, settings);
            return XElement.Load(reader);
        }
        catch (XmlException e)
        {
            throw new InvalidFileException(file, $"is no XML of Pascal VOC: {e.Message}", e);
        }
    }

    private static double Number(XElement parent, string name, string file, string what)
    {
        var text = parent.Element(name)?.Value.Trim();
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value)
            ? value
            : throw new InvalidFileException(
                file, text is null ? $"{what} has no <{name}>, expected a number" : $"<{name}> of {what} is '{text}', expected a number");
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
