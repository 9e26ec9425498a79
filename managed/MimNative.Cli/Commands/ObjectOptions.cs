using System.CommandLine;
using MimNative.Evaluation.Objects;

namespace MimNative.Cli.Commands;

/// <summary>Options that say where the objects of pictures are.</summary>
internal static class ObjectOptions
{
    public static Option<string> Objects() => new("--objects") { Description = $"where the objects are: {ObjectSources.Kinds}" };

    public static Option<int> FirstPixel() => CommonOptions.Whole(
        "--first-pixel", "the number of the first pixel in Pascal VOC files: 1, or 0 where they count from 0", 0, 1, otherwise: 1);
}
