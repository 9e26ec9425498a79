namespace MimNative.Evaluation.Benchmarks;

/// <summary>
/// What an op must do at least: arithmetic operations (a multiplication and an addition count two) for what the arithmetic bounds, bytes
/// that go to or come from memory once each for the rest. The other count is 0.
/// </summary>
/// <param name="Operations">Arithmetic operations.</param>
/// <param name="Bytes">Bytes.</param>
public readonly record struct OpWork(double Operations, double Bytes)
{
    /// <summary>The work of a case with activations of so many bytes each.</summary>
    public static OpWork Of(OpCase op, int activation)
    {
        ArgumentNullException.ThrowIfNull(op);
        double product = 2.0 * op["rows"] * op["inputs"] * op["outputs"];
        double layer = 2.0 * op["rows"] * op["dim"] * op["hidden"];
        double attention = 4.0 * op["batch"] * Math.Max(1, op["across"] * op["across"]) * op["heads"] * op["tokens"] * op["dim"] *
            (op["tokens"] + (op["buckets"] / 2.0));
        double matrix = (double)op["rows"] * op["dim"] * activation;
        double picture = (double)op["batch"] * op["channels"] * op["side"] * op["side"];
        double patch = (double)op["batch"] * op["channels"] * op["patch"] * op["patch"];
        double token = (double)op["batch"] * op["dim"] * activation;
        return op.Op switch
        {
            OpNames.Linear or OpNames.LinearInput or OpNames.LinearWeight => new(product, 0),
            OpNames.Mlp => new(2 * layer, 0),
            OpNames.MlpBackward => new(4 * layer, 0),                                     // each layer's input and weight
            OpNames.Attention => new(attention, 0),
            OpNames.AttentionTraining => new(3 * attention, 0),                           // backward counts as twice forward
            OpNames.LayerNorm => new(0, 4 * matrix),                                      // x, branch; sum, y
            OpNames.LayerNormBackward => new(0, 4 * matrix),                              // dy, dsum, sum; dx
            OpNames.Gelu => new(0, 2 * matrix),
            OpNames.GeluBackward => new(0, 3 * matrix),
            OpNames.Patchify => new(0, op["kept"] * patch * (sizeof(float) + activation)),
            OpNames.GatherTokens => new(0, 2 * op["kept"] * token),
            OpNames.RestoreTokens => new(0, (op["kept"] + 1 + op["patches"] + 1) * token),
            OpNames.MaskedLoss => new(0, op["hidden"] * patch * (sizeof(float) + (2 * activation))),   // target; pred, dpred
            OpNames.LowPass => new(0, 2 * picture * sizeof(float)),
            // p, m, v read and written, the gradient read and zeroed; in bf16 the rounded parameters too
            OpNames.AdamW => new(0, op["count"] * ((8.0 * sizeof(float)) + (activation == sizeof(float) ? 0 : activation))),
            var other => throw new ArgumentException($"the work of op '{other}' is not counted"),
        };
    }
}
