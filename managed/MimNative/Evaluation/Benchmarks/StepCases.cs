using MimNative.Recipes;
using MimNative.Runtime;

namespace MimNative.Evaluation.Benchmarks;

/// <summary>A training step that is measured by name.</summary>
/// <param name="Name">Its name.</param>
/// <param name="RecipeName">The recipe that it takes its sizes from.</param>
/// <param name="Batch">Images of a step.</param>
/// <param name="Settings">What differs from the recipe.</param>
public sealed record StepCase(string Name, string RecipeName, int Batch, params IReadOnlyList<string> Settings)
{
    /// <summary>The complete recipe: one batch a step.</summary>
    public Recipe Recipe() => Recipes.Recipe.Load(
        RecipeName, [.. Settings, "train.accumulation=1", $"train.batch={Batch}"]);
}

/// <summary>The steps that <c>mim bench</c> measures when nothing is asked for.</summary>
public static class StepCases
{
    private static readonly string[] Pixels448 = ["image.height=448", "image.width=448"];
    private static readonly string[] OfficialDecoder = ["decoder.dim=512", "decoder.depth=8", "decoder.heads=16"];

    // The peers' step neither skips branches nor clips: no method's cost is in that.
    private static readonly string[] Plain = ["encoder.drop_path=0", "train.clip=0"];

    /// <summary>All of them.</summary>
    public static IReadOnlyList<StepCase> All { get; } =
    [
        new("mae-vit-ti16", "mae-vit-ti16", 32),
        new("mae-vit-s16", "mae-vit-s16", 16),
        new("mae-vit-b16", "mae-vit-b16", 8),
        new("mae-vit-ti-cifar", "mae-vit-ti-cifar", 64),
        new("mae-vit-s16-lowpass", "mae-vit-s16", 16, "target.low_pass=40"),
        new("simmim-vit-s16", "simmim-vit-s16", 16, Plain),
        new("simmim-swin-ti", "simmim-swin-ti", 16, Plain),
        new("lomar-vit-s16", "lomar-vit-s16", 16),
        new("lomar-vit-s16-448", "lomar-vit-s16", 16, Pixels448),
        new("mae-vit-s16-448", "mae-vit-s16", 8, Pixels448),
        new("mae-vit-s16-official", "mae-vit-s16", 16, OfficialDecoder),
        new("mae-vit-s16-official-448", "mae-vit-s16", 4, [.. OfficialDecoder, .. Pixels448]),
    ];

    /// <summary>The case of a name.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static StepCase Find(string name) =>
        All.FirstOrDefault(c => c.Name == name) ?? throw new ArgumentException(
            $"there is no case '{name}' among {string.Join(", ", All.Select(c => c.Name))}" +
            NearestName.Question(name, All.Select(c => c.Name)));
}
