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

/// <summary>The steps that <c>mim bench</c> measures when nothing is asked for: small models on the CPU, published ones on a GPU.</summary>
public static class StepCases
{
    private static readonly string[] Pixels448 = ["image.height=448", "image.width=448"];
    private static readonly string[] OfficialDecoder = ["decoder.dim=512", "decoder.depth=8", "decoder.heads=16"];

    // The peers' step neither skips branches nor clips: no method's cost is in that.
    private static readonly string[] Plain = ["encoder.drop_path=0", "train.clip=0"];

    private const string LowPass = "target.low_pass=40";

    private static readonly StepCase[] Cpu =
    [
        new("mae-vit-ti16", "mae-vit-ti16", 32),
        new("mae-vit-s16", "mae-vit-s16", 16),
        new("mae-vit-b16", "mae-vit-b16", 8),
        new("mae-vit-ti-cifar", "mae-vit-ti-cifar", 64),
        new("mae-vit-s16-lowpass", "mae-vit-s16", 16, LowPass),
        new("convmae-ti16", "convmae-ti16", 16),
        new("simmim-vit-s16", "simmim-vit-s16", 16, Plain),
        new("simmim-swin-ti", "simmim-swin-ti", 16, Plain),
        new("lomar-vit-s16", "lomar-vit-s16", 16),
        new("lomar-vit-s16-448", "lomar-vit-s16", 16, Pixels448),
        new("mae-vit-s16-448", "mae-vit-s16", 8, Pixels448),
        new("mae-vit-s16-official", "mae-vit-s16", 16, OfficialDecoder),
        new("mae-vit-s16-official-448", "mae-vit-s16", 4, [.. OfficialDecoder, .. Pixels448]),
    ];

    private static readonly StepCase[] Gpu =
    [
        .. WithPixMim(new("mae-vit-b16", "mae-vit-b16", 512)),
        .. WithPixMim(new("mae-vit-l16", "mae-vit-l16", 256)),
        .. WithPixMim(new("mae-vit-h14", "mae-vit-h14", 128)),
        .. WithPixMim(new("convmae-b16", "convmae-b16", 256)),
        .. WithPixMim(new("simmim-swin-b", "simmim-swin-b-100e", 128, Plain)),
        .. WithPixMim(new("lomar-vit-b16", "lomar-vit-b16-400e", 256)),
        .. WithPixMim(new("lomar-vit-b16-448", "lomar-vit-b16-448", 256)),
    ];

    /// <summary>All of a kind of device.</summary>
    public static IReadOnlyList<StepCase> Of(DeviceKind device) => device == DeviceKind.Cpu ? Cpu : Gpu;

    /// <summary>The case of a name.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static StepCase Find(string name, DeviceKind device) =>
        Of(device).FirstOrDefault(c => c.Name == name) ?? throw new ArgumentException(
            $"there is no case '{name}' among {string.Join(", ", Of(device).Select(c => c.Name))}" +
            NearestName.Question(name, Of(device).Select(c => c.Name)));

    private static IEnumerable<StepCase> WithPixMim(StepCase plain) =>
        [plain, plain with { Name = $"{plain.Name}-lowpass", Settings = [.. plain.Settings, LowPass] }];
}
