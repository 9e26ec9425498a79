using System.CommandLine;
using System.Globalization;
using MimNative.Cli.Terminal;
using MimNative.Data;
using MimNative.Evaluation.Objects;
using MimNative.Recipes;

namespace MimNative.Cli.Commands;

/// <summary><c>mim coverage</c>: how much of objects survives crop and mask.</summary>
internal static class CoverageCommand
{
    private const string Drawn = "drawn";

    public static Command Create(Shell shell)
    {
        var data = new Option<string>("--data")
        {
            Description = "pictures as for pretrain, or drawn or drawn:COUNT for those that the demo draws, which know their objects",
            Required = true,
        };
        var objects = ObjectOptions.Objects();
        var firstPixel = ObjectOptions.FirstPixel();
        var boxes = new Option<bool>("--boxes") { Description = "take each object's bounding box in the place of its outline" };
        var recipe = new Option<string>("--recipe")
        {
            Description = "size, patches, masks and crop settings: a recipe's name or a JSON file",
            DefaultValueFactory = _ => "mae-vit-b16",
        };
        var set = new Option<string[]>("--set") { Description = "changes a field of the recipe: mask.ratio=0.6, transform.scale=[0.5,1]" };
        var draws = CommonOptions.Whole("--draws", "crops and masks of each picture", 1, 1_000_000, otherwise: 20);
        var seed = CommonOptions.Whole("--seed", "of crops, masks and drawn pictures", 0, long.MaxValue, otherwise: 0);
        var output = new Option<string>("--out") { Description = "a sheet of pictures with their crops and masks to write" };
        var rows = CommonOptions.Whole("--rows", "pictures of the sheet", 1, 100, otherwise: 4);
        var json = CommonOptions.Json();
        var command = new Command("coverage", "Measures how much of objects survives the crops RRC, SRC and CC, before and after masking.")
        {
            data, objects, firstPixel, boxes, recipe, set, draws, seed, output, rows, json,
        };
        command.SetAction(parsed =>
        {
            var (text, where) = (parsed.GetValue(data)!, parsed.GetValue(objects));
            using var source = Open(text, parsed.GetValue(seed));
            if (where is null && source is not ShapesSource)
            {
                throw new ArgumentException($"coverage needs --objects, which says where they are: {ObjectSources.Kinds}");
            }
            var found = where is null
                ? new DrawnObjects((ShapesSource)source)
                : ObjectSources.Open(where, [.. Enumerable.Range(0, source.Count).Select(source.Name)], parsed.GetValue(firstPixel));
            if (parsed.GetValue(output) is { } sheet)
            {
                OutputFile.Prepare(sheet);
            }
            using var job = new CoverageJob(Recipe.Load(parsed.GetValue(recipe)!, parsed.GetValue(set)), parsed.GetValue(draws), parsed.GetValue(seed))
            {
                Shell = shell,
                Source = source,
                Objects = parsed.GetValue(boxes) ? new BoundingBoxes(found) : found,
                Where = where ?? text,
                Output = parsed.GetValue(output),
                Rows = parsed.GetValue(rows),
                Json = parsed.GetValue(json),
            };
            return job.Run();
        });
        return command;
    }

    private static IImageSource Open(string text, long seed)
    {
        if (text != Drawn && !text.StartsWith(Drawn + ":", StringComparison.Ordinal))
        {
            return ImageSources.Open(text);
        }
        var count = text == Drawn ? DemoCommand.PictureCount
            : int.TryParse(text[(Drawn.Length + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
        return count > 0
            ? new ShapesSource(count, DemoCommand.PictureSize, DemoCommand.PictureSize, seed)
            : throw new FormatException($"--data is '{text}', expected drawn:COUNT with at least 1 picture");
    }
}
