using MimNative.Runtime;

namespace MimNative.Evaluation.Benchmarks;

/// <summary>The ops that <c>mim bench ops</c> measures: the shapes of ViT-S and ViT-B at batch 16, kept (800 rows) and whole (3152).</summary>
public static class OpCases
{
    private const int Batch = 16, Patches = 196, Kept = 49;

    /// <summary>All of them.</summary>
    public static IReadOnlyList<OpCase> All { get; } = [.. Linears(), .. Mlps(), .. Attentions(), .. Passes()];

    /// <summary>The cases whose names begin so.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static IReadOnlyList<OpCase> Find(string beginning)
    {
        OpCase[] found = [.. All.Where(c => c.Name.StartsWith(beginning, StringComparison.Ordinal))];
        var names = All.Select(c => c.Name.Split(' ')[0]).Distinct().ToList();
        return found.Length > 0
            ? found
            : throw new ArgumentException(
                $"there is no op '{beginning}' among {string.Join(", ", names)}{NearestName.Question(beginning, names)}");
    }

    private static IEnumerable<OpCase> Linears()
    {
        foreach (var (prefix, rows, dim) in new[] { ("S", 800, 384), ("S", 3152, 384), ("B", 800, 768), ("B", 3152, 768) })
        {
            foreach (var (layer, inputs, outputs) in new[]
            {
                ("qkv", dim, 3 * dim), ("proj", dim, dim), ("fc1", dim, 4 * dim), ("fc2", 4 * dim, dim),
            })
            {
                foreach (var made in Linear($"{prefix} {layer}", rows, inputs, outputs))
                {
                    yield return made;
                }
            }
        }
        foreach (var made in Linear("S decoder qkv", 3152, 256, 768)
            .Concat(Linear("S decoder proj", 3152, 256, 256)).Concat(Linear("square", 2048, 2048, 2048)))
        {
            yield return made;
        }
    }

    private static IEnumerable<OpCase> Mlps()
    {
        foreach (var (prefix, rows, dim) in new[] { ("S", 800, 384), ("S decoder", 3152, 256), ("B", 400, 768), ("B decoder", 1576, 512) })
        {
            foreach (var op in new[] { OpNames.Mlp, OpNames.MlpBackward })
            {
                yield return OpCase.Of(
                    $"{op} {prefix} {rows} x {dim}->{4 * dim}->{dim}", op, ("rows", rows), ("dim", dim), ("hidden", 4 * dim));
            }
        }
    }

    private static IEnumerable<OpCase> Linear(string layer, int rows, int inputs, int outputs)
    {
        string[] ops = [OpNames.Linear, OpNames.LinearInput, OpNames.LinearWeight];
        return ops.Select(op => OpCase.Of(
            $"{op} {layer} {rows} x {inputs}->{outputs}", op, ("rows", rows), ("inputs", inputs), ("outputs", outputs)));
    }

    private static IEnumerable<OpCase> Attentions()
    {
        foreach (var op in new[] { OpNames.Attention, OpNames.AttentionTraining })
        {
            yield return Plain(op, 16, 6, 197, 64);
            yield return Plain(op, 16, 6, 50, 64);
            yield return Plain(op, 64, 6, 65, 64);
            yield return Plain(op, 16, 8, 197, 32);
            yield return Plain(op, 4, 6, 785, 64);
            yield return OpCase.Of(
                $"{op} Swin B16 H3 N49 D32", op, ("batch", 16), ("heads", 3), ("tokens", 49), ("dim", 32), ("window", 7), ("across", 8));
            yield return OpCase.Of(
                $"{op} LoMaR B64 H6 N50 D64", op, ("batch", 64), ("heads", 6), ("tokens", 50), ("dim", 64), ("buckets", 50), ("window", 7));
        }
    }

    private static OpCase Plain(string op, int batch, int heads, int tokens, int dim) => OpCase.Of(
        $"{op} B{batch} H{heads} N{tokens} D{dim}", op, ("batch", batch), ("heads", heads), ("tokens", tokens), ("dim", dim));

    private static IEnumerable<OpCase> Passes()
    {
        foreach (var op in new[] { OpNames.LayerNorm, OpNames.LayerNormBackward })
        {
            yield return OpCase.Of($"{op} 3152 x 384", op, ("rows", 3152), ("dim", 384));
        }
        foreach (var op in new[] { OpNames.Gelu, OpNames.GeluBackward })
        {
            yield return OpCase.Of($"{op} 3152 x 1536", op, ("rows", 3152), ("dim", 1536));
        }
        var image = new[] { ("batch", (long)Batch), ("channels", 3), ("side", 224), ("patch", 16) };
        yield return OpCase.Of("patchify B16 224 px, 49 kept", OpNames.Patchify, [.. image, ("kept", Kept)]);
        yield return OpCase.Of(
            "gather_tokens B16 197->49 x 384", OpNames.GatherTokens, ("batch", Batch), ("tokens", Patches + 1), ("kept", Kept), ("dim", 384));
        yield return OpCase.Of(
            "restore_tokens B16 50->197 x 256", OpNames.RestoreTokens, ("batch", Batch), ("patches", Patches), ("kept", Kept), ("dim", 256));
        yield return OpCase.Of("masked_loss B16 224 px, 147 hidden", OpNames.MaskedLoss, [.. image, ("hidden", Patches - Kept)]);
        yield return OpCase.Of("low_pass B16 224 px, radius 40", OpNames.LowPass, [.. image, ("radius", 40)]);
        yield return OpCase.Of("adamw 25 M", OpNames.AdamW, ("count", 25_000_000));
    }
}
