using MimNative.Export;
using MimNative.Runtime;

namespace MimNative.Evaluation.Verification;

/// <summary>
/// Rebuilds recorded cases through the same classes that training uses, and compares every number. It is how anyone checks this
/// library against numbers from elsewhere.
/// </summary>
public static class Verifier
{
    private delegate void Check(RecordedCase recorded, Comparisons compare, Step step);

    private static readonly Dictionary<string, Check> Cases = new()
    {
        ["mae"] = MaeCase.Check,
        ["simmim_vit"] = SimMimCase.Check,
        ["simmim_swin"] = SimMimCase.Check,
        ["lomar"] = LoMaRCase.Check,
        ["lomar_buckets"] = LoMaRCase.CheckBuckets,
        ["pixmim"] = MaeCase.Check,
        ["convmae"] = MaeCase.Check,
        ["lsmae"] = MaeCase.Check,
        ["pixmim_target"] = PixMimCase.CheckTargets,
        ["optimizer_mae"] = OptimizerCase.CheckMae,
        ["optimizer_simmim_vit"] = OptimizerCase.CheckSimMim,
        ["optimizer_simmim_swin"] = OptimizerCase.CheckSimMim,
        ["attention"] = LayerCases.Attention,
        ["attention_module"] = LayerCases.AttentionModule,
        ["layer_norm"] = LayerCases.LayerNorm,
        ["gelu"] = LayerCases.Gelu,
        ["losses"] = LossCase.Check,
        ["tokens"] = TokenCase.Check,
        ["op_extras"] = ExtrasCase.Check,
        ["transforms"] = TransformCase.Check,
        ["sincos"] = TableCases.SinCos,
        ["mask_counts"] = TableCases.MaskCounts,
        ["lr_schedule_mae"] = TableCases.LearningRates,
        ["lr_schedule_simmim"] = TableCases.SimMimLearningRates,
        ["weight_decay_groups"] = TableCases.DecayGroups,
        ["position_interpolation"] = TableCases.PositionInterpolation,
    };

    /// <summary>The cases that can be rebuilt.</summary>
    public static IReadOnlyCollection<string> KnownCases => Cases.Keys;

    /// <summary>Rebuilds the case of a file. A file that cannot be read or rebuilt gives a result that says why.</summary>
    public static VerificationResult Verify(string path, Context context)
    {
        var compare = new Comparisons();
        var name = "";
        string? problem = null;
        try
        {
            using var file = SafetensorsFile.Open(path);
            var recorded = new RecordedCase(file);
            name = recorded.Name;
            if (name.Length == 0)
            {
                throw new InvalidFileException(path, "its metadata names no case");
            }
            if (!Cases.TryGetValue(name, out var check))
            {
                throw new NotSupportedException($"case '{name}' is not implemented yet");
            }
            using var step = new Step(context);
            // Recorded cases are small: their numbers, activations and gradients fit in a few times the file.
            step.Reserve(Math.Max(16L << 20, 64 * new FileInfo(path).Length));
            check(recorded, compare, step);
        }
        catch (Exception e) when (
            e is InvalidFileException or IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException
                or InvalidOperationException or MimException)
        {
            problem = e.Message.ReplaceLineEndings(" ");
        }
        catch (Exception e)
        {
            // Whatever a file makes go wrong is that file's result: its settings may ask for anything.
            problem = $"case '{name}' cannot be rebuilt from the file's settings: {e.Message}";
        }
        return new VerificationResult(path, name, compare.All, problem);
    }
}
