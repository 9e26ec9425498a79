namespace MimNative.Evaluation.Benchmarks;

/// <summary>Ops that are measured alone; the names are what a peer is asked for.</summary>
public static class OpNames
{
    public const string Linear = "linear", LinearInput = "linear_input", LinearWeight = "linear_weight";
    public const string Mlp = "mlp", MlpBackward = "mlp_backward";
    public const string Attention = "attention", AttentionTraining = "attention_training";
    public const string LayerNorm = "layer_norm", LayerNormBackward = "layer_norm_backward";
    public const string Gelu = "gelu", GeluBackward = "gelu_backward";
    public const string Patchify = "patchify", GatherTokens = "gather_tokens", RestoreTokens = "restore_tokens";
    public const string MaskedLoss = "masked_loss", LowPass = "low_pass", AdamW = "adamw";
}

/// <summary>An op with its sizes.</summary>
/// <param name="Name">Its name in tables, unique.</param>
/// <param name="Op">One of <see cref="OpNames"/>.</param>
/// <param name="Sizes">The sizes by name.</param>
public sealed record OpCase(string Name, string Op, IReadOnlyDictionary<string, long> Sizes)
{
    /// <summary>The size of a name; 0 where it is not given.</summary>
    public long this[string size] => Sizes.GetValueOrDefault(size);

    /// <summary>Makes a case.</summary>
    public static OpCase Of(string name, string op, params (string Name, long Value)[] sizes) =>
        new(name, op, sizes.ToDictionary(s => s.Name, s => s.Value));
}
