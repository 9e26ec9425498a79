using MimNative.Runtime;

namespace MimNative.Evaluation.Benchmarks;

/// <summary>
/// The ops that <c>mim bench ops</c> measures. On the CPU: the shapes of ViT-S and ViT-B at batch 16, kept (800 rows) and whole (3152). On a
/// GPU: those of ViT-B, ViT-L and ViT-H at batch 256, kept (12 800 rows) and whole in the decoder (50 432).
/// </summary>
public static class OpCases
{
    private const int Patches = 196, Kept = 49;

    private static readonly string[] LinearOps = [OpNames.Linear, OpNames.LinearInput, OpNames.LinearWeight];
    private static readonly string[] MlpOps = [OpNames.Mlp, OpNames.MlpBackward];
    private static readonly string[] AttentionOps = [OpNames.Attention, OpNames.AttentionTraining];

    private static readonly OpCase[] Cpu = [.. CpuProducts(), .. CpuAttentions(), .. Passes(batch: 16, dim: 384, wide: 256, parameters: 25)];
    private static readonly OpCase[] Gpu = [.. GpuProducts(), .. GpuAttentions(), .. Passes(batch: 256, dim: 1024, wide: 512, parameters: 300)];

    /// <summary>All of a kind of device.</summary>
    public static IReadOnlyList<OpCase> Of(DeviceKind device) => device == DeviceKind.Cpu ? Cpu : Gpu;

    /// <summary>The cases whose names begin so.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static IReadOnlyList<OpCase> Find(string beginning, DeviceKind device)
    {
        OpCase[] found = [.. Of(device).Where(c => c.Name.StartsWith(beginning, StringComparison.Ordinal))];
        var names = Of(device).Select(c => c.Name.Split(' ')[0]).Distinct().ToList();
        return found.Length > 0
            ? found
            : throw new ArgumentException(
                $"there is no op '{beginning}' among {string.Join(", ", names)}{NearestName.Question(beginning, names)}");
    }

    private static IEnumerable<OpCase> CpuProducts() =>
    [
        .. Layers("S", 800, 384), .. Layers("S", 3152, 384), .. Layers("B", 800, 768), .. Layers("B", 3152, 768),
        .. Linear("S decoder qkv", 3152, 256, 768), .. Linear("S decoder proj", 3152, 256, 256), .. Linear("square", 2048, 2048, 2048),
        .. Mlp("S", 800, 384), .. Mlp("S decoder", 3152, 256), .. Mlp("B", 400, 768), .. Mlp("B decoder", 1576, 512),
    ];

    private static IEnumerable<OpCase> GpuProducts() =>
    [
        .. Layers("B", 12800, 768), .. Layers("L", 12800, 1024), .. Layers("H", 16640, 1280), .. Layers("decoder", 50432, 512),
        .. Linear("square", 8192, 8192, 8192),
        .. Mlp("B", 12800, 768), .. Mlp("L", 12800, 1024), .. Mlp("H", 16640, 1280), .. Mlp("decoder", 50432, 512),
    ];

    private static IEnumerable<OpCase> CpuAttentions() => AttentionOps.SelectMany(op => (OpCase[])
    [
        Plain(op, 16, 6, 197, 64), Plain(op, 16, 6, 50, 64), Plain(op, 64, 6, 65, 64), Plain(op, 16, 8, 197, 32), Plain(op, 4, 6, 785, 64),
        Swin(op, 16, 3, across: 8), LoMaR(op, 64, 6),
    ]);

    // MAE's encoders (50 tokens; 65 at patch 14) and decoder, SimMIM's, 448 pixels, Swin-B's first stage, LoMaR's windows.
    private static IEnumerable<OpCase> GpuAttentions() => AttentionOps.SelectMany(op => (OpCase[])
    [
        Plain(op, 256, 12, 50, 64), Plain(op, 256, 16, 50, 64), Plain(op, 256, 16, 65, 80), Plain(op, 256, 16, 197, 32),
        Plain(op, 128, 12, 197, 64), Plain(op, 32, 12, 785, 64), Plain(op, 64, 16, 257, 128), Swin(op, 128, 4, across: 8), LoMaR(op, 1024, 12),
    ]);

    private static IEnumerable<OpCase> Layers(string model, int rows, int dim) =>
    [
        .. Linear($"{model} qkv", rows, dim, 3 * dim), .. Linear($"{model} proj", rows, dim, dim),
        .. Linear($"{model} fc1", rows, dim, 4 * dim), .. Linear($"{model} fc2", rows, 4 * dim, dim),
    ];

    private static IEnumerable<OpCase> Linear(string layer, int rows, int inputs, int outputs) => LinearOps.Select(op => OpCase.Of(
        $"{op} {layer} {rows} x {inputs}->{outputs}", op, ("rows", rows), ("inputs", inputs), ("outputs", outputs)));

    private static IEnumerable<OpCase> Mlp(string model, int rows, int dim) => MlpOps.Select(op => OpCase.Of(
        $"{op} {model} {rows} x {dim}->{4 * dim}->{dim}", op, ("rows", rows), ("dim", dim), ("hidden", 4 * dim)));

    private static OpCase Plain(string op, int batch, int heads, int tokens, int dim) => OpCase.Of(
        $"{op} B{batch} H{heads} N{tokens} D{dim}", op, ("batch", batch), ("heads", heads), ("tokens", tokens), ("dim", dim));

    private static OpCase Swin(string op, int batch, int heads, int across) => OpCase.Of(
        $"{op} Swin B{batch} H{heads} N49 D32", op,
        ("batch", batch), ("heads", heads), ("tokens", 49), ("dim", 32), ("window", 7), ("across", across));

    private static OpCase LoMaR(string op, int batch, int heads) => OpCase.Of(
        $"{op} LoMaR B{batch} H{heads} N50 D64", op,
        ("batch", batch), ("heads", heads), ("tokens", 50), ("dim", 64), ("buckets", 50), ("window", 7));

    private static IEnumerable<OpCase> Passes(int batch, int dim, int wide, int parameters)
    {
        var rows = batch * (Patches + 1);
        foreach (var op in new[] { OpNames.LayerNorm, OpNames.LayerNormBackward })
        {
            yield return OpCase.Of($"{op} {rows} x {dim}", op, ("rows", rows), ("dim", dim));
        }
        foreach (var op in new[] { OpNames.Gelu, OpNames.GeluBackward })
        {
            yield return OpCase.Of($"{op} {rows} x {4 * dim}", op, ("rows", rows), ("dim", 4 * dim));
        }
        var image = new[] { ("batch", (long)batch), ("channels", 3), ("side", 224), ("patch", 16) };
        yield return OpCase.Of($"patchify B{batch} 224 px, 49 kept", OpNames.Patchify, [.. image, ("kept", Kept)]);
        yield return OpCase.Of(
            $"gather_tokens B{batch} 197->49 x {dim}", OpNames.GatherTokens,
            ("batch", batch), ("tokens", Patches + 1), ("kept", Kept), ("dim", dim));
        yield return OpCase.Of(
            $"restore_tokens B{batch} 50->197 x {wide}", OpNames.RestoreTokens,
            ("batch", batch), ("patches", Patches), ("kept", Kept), ("dim", wide));
        yield return OpCase.Of($"masked_loss B{batch} 224 px, 147 hidden", OpNames.MaskedLoss, [.. image, ("hidden", Patches - Kept)]);
        yield return OpCase.Of($"low_pass B{batch} 224 px, radius 40", OpNames.LowPass, [.. image, ("radius", 40)]);
        yield return OpCase.Of($"adamw {parameters} M", OpNames.AdamW, ("count", 1_000_000L * parameters));
    }
}
