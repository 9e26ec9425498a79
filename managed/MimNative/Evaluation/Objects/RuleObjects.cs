using System.Globalization;
using MimNative.Data;

namespace MimNative.Evaluation.Objects;

/// <summary>The same box in every picture, for pictures of which nothing is known.</summary>
internal sealed class RuleObjects(int count, Func<int, int, int, Region> box) : IPictureObjects
{
    public const string CentralPrefix = "central:", BoxPrefix = "box:";

    public IReadOnlyList<int> Pictures { get; } = [.. Enumerable.Range(0, count)];

    public IReadOnlyList<string> Notes => [];

    public IReadOnlyList<PictureObject> Read(int picture, int height, int width) => [new BoxObject(box(picture, height, width))];

    /// <summary>"central:SHARE": the box of the picture's own shape in its middle that covers this share of its area.</summary>
    public static RuleObjects Central(string text, int count)
    {
        if (!(double.TryParse(text[CentralPrefix.Length..], NumberStyles.Float, CultureInfo.InvariantCulture, out var share) &&
            share > 0 && share <= 1))
        {
            throw new FormatException($"the objects are '{text}', expected central:SHARE with a share of the picture above 0, at most 1");
        }
        var side = Math.Sqrt(share);
        return new RuleObjects(count, (_, height, width) => new Region(
            height * (1 - side) / 2, width * (1 - side) / 2, height * (1 + side) / 2, width * (1 + side) / 2));
    }

    /// <summary>"box:LEFT,TOP,WIDTH,HEIGHT" in pixels of the picture.</summary>
    public static RuleObjects Box(string text, IReadOnlyList<string> names)
    {
        int?[] numbers = [.. text[BoxPrefix.Length..].Split(',').Select(Number)];
        if (numbers is not [{ } left, { } top, { } w, { } h] || w == 0 || h == 0)
        {
            throw new FormatException($"the objects are '{text}', expected box:LEFT,TOP,WIDTH,HEIGHT in pixels, width and height above 0");
        }
        var box = new Region(top, left, (double)top + h, (double)left + w);
        return new RuleObjects(names.Count, (picture, height, width) => box.Bottom <= height && box.Right <= width
            ? box
            : throw new FormatException(
                $"the objects are '{text}', expected a box inside '{names[picture]}' of {width} x {height} pixels (width x height)"));
    }

    private static int? Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;
}
