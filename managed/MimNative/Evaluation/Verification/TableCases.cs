using System.Globalization;
using System.Text.Json;
using MimNative.Masking;
using MimNative.Nn;
using MimNative.Recipes;
using MimNative.Runtime;
using MimNative.Training;

namespace MimNative.Evaluation.Verification;

/// <summary>Tables: positions, mask counts, learning rates, which parameters decay.</summary>
internal static class TableCases
{
    /// <summary>The sine-cosine positions, whole or as selected rows; mmselfsup's variant has the row first.</summary>
    public static void SinCos(RecordedCase recorded, Comparisons compare, Step step)
    {
        var (height, width) = recorded.Grid("grid");
        var dim = recorded.Integer("embed_dim");
        var rowFirst = recorded.Settings.Contains("upstream") &&
            recorded.Text("upstream").StartsWith("mmselfsup", StringComparison.Ordinal);
        var table = SinCosPosition.Table(height, width, dim, recorded.Flag("cls_token"), rowFirst);
        void Rows(string name, int first, int count) => compare.Norm(
            name, table.AsSpan(first * dim, count * dim), recorded.Floats(name), Tolerance.Output);

        var rows = table.Length / dim;
        foreach (var name in recorded.Tensors)
        {
            var count = (int)(recorded.Floats(name).Length / dim);
            switch (name)
            {
                case "pos_embed": Rows(name, 0, rows); break;
                case "column_sums": compare.Norm(name, ColumnSums(table, dim), recorded.Floats(name), Tolerance.Output); break;
                case var _ when Suffix(name, "first") is not null: Rows(name, 0, count); break;
                case var _ when Suffix(name, "last") is not null: Rows(name, rows - count, count); break;
                case var _ when Suffix(name, "row") is { } row: Rows(name, row, count); break;
                default: throw new NotSupportedException($"tensor '{name}' of case 'sincos' is not known");
            }
        }
    }

    /// <summary>How many patches each method keeps or removes, for lengths and ratios.</summary>
    public static void MaskCounts(RecordedCase recorded, Comparisons compare, Step step)
    {
        var lengths = recorded.Ints("lengths");
        double[] ratios =
        [
            .. recorded.Json("ratios").EnumerateArray()
                .Select(r => double.Parse(r.ToString(), CultureInfo.InvariantCulture)),
        ];
        void Compare(string name, Func<int, double, int> count) => compare.Exact<int>(
            name, [.. lengths.SelectMany(l => ratios.Select(r => count(l, r)))], recorded.Ints(name));
        Compare("mae_keep", Masking.MaskCounts.MaeKept);
        Compare("lomar_masked", Masking.MaskCounts.LoMaRMasked);
        Compare("simmim_masked", Masking.MaskCounts.SimMimMasked);
    }

    /// <summary>The rate in effect at every micro-step, for several settings.</summary>
    public static void LearningRates(RecordedCase recorded, Comparisons compare, Step step)
    {
        foreach (var i in recorded.Below("lr/"))
        {
            var setting = recorded.Json($"setting_{i}");
            double Value(string key) => setting.GetProperty(key).GetDouble();
            var perEpoch = setting.GetProperty("iters_per_epoch").GetInt32();
            var schedule = new CosineSchedule
            {
                Rate = Value("lr"),
                MinimumRate = Value("min_lr"),
                WarmupEpochs = Value("warmup_epochs"),
                Epochs = Value("epochs"),
                MicroStepsPerEpoch = perEpoch,
                Accumulation = setting.GetProperty("accum_iter").GetInt32(),
            };
            var want = recorded.Floats($"lr/{i}");
            float[] got = [.. Enumerable.Range(0, want.Length).Select(k => (float)schedule.At(k / perEpoch, k % perEpoch))];
            compare.Relative($"lr/{i}", got, want, Tolerance.LearningRate);
        }
    }

    /// <summary>SimMIM's rates: the one that each optimiser step has, for several settings.</summary>
    public static void SimMimLearningRates(RecordedCase recorded, Comparisons compare, Step step)
    {
        foreach (var i in recorded.Below("lr/"))
        {
            var setting = recorded.Json($"setting_{i}");
            var perEpoch = setting.GetProperty("iters_per_epoch").GetInt32();
            var schedule = SimMimSchedule(
                setting.GetProperty("scheduler").GetString()!, key => setting.GetProperty(key).GetDouble(),
                setting.GetProperty("multisteps_epochs"), perEpoch);
            var want = recorded.Floats($"lr/{i}");
            float[] got = [.. Enumerable.Range(0, want.Length).Select(k => (float)schedule.At(k / perEpoch, k % perEpoch))];
            compare.Relative($"lr/{i}", got, want, Tolerance.LearningRate);
        }
    }

    /// <summary>The schedule that recorded settings describe.</summary>
    public static LearningRateSchedule SimMimSchedule(
        string scheduler, Func<string, double> value, JsonElement milestones, int microStepsPerEpoch)
    {
        LearningRateSchedule schedule = scheduler switch
        {
            "cosine" => new TimmCosineSchedule { Rate = 0, Epochs = 0, MicroStepsPerEpoch = 0 },
            "multistep" => new MultiStepSchedule
            {
                Rate = 0,
                Epochs = 0,
                MicroStepsPerEpoch = 0,
                Milestones = [.. milestones.EnumerateArray().Select(m => m.GetInt32())],
                Gamma = value("gamma"),
            },
            _ => throw new NotSupportedException($"scheduler '{scheduler}' is not known"),
        };
        var warmup = value("warmup_epochs");
        return schedule with
        {
            Rate = value("base_lr"),
            MinimumRate = value("min_lr"),
            WarmupRate = value("warmup_lr"),
            WarmupEpochs = warmup,
            Epochs = value("epochs"),
            MicroStepsPerEpoch = microStepsPerEpoch,
        };
    }

    /// <summary>Which of a model's parameters decay in SimMIM's pretraining.</summary>
    public static void DecayGroups(RecordedCase recorded, Comparisons compare, Step step)
    {
        string[] names = [.. recorded.Json("names").EnumerateArray().Select(n => n.GetString()!)];
        using var store = new ParameterStore();
        var exempt = SimMimExempt(names.Contains("encoder.cls_token"));
        foreach (var name in names)
        {
            store.Root.Add(name, Initializer.Zeros, trainable: true, SimMimShape(name));
        }
        var decay = (float)recorded.Number("weight_decay");
        compare.Exact<float>(
            "weight_decay", [.. store.Parameters.Select(p => AdamW.Decays(p, exempt) ? decay : 0)], recorded.Floats("weight_decay"));
    }

    /// <summary>What the recipes of SimMIM exempt beside vectors.</summary>
    public static string[] SimMimExempt(bool isVit) =>
        [.. Recipe.DefaultsOf(MethodKind.SimMim, isVit ? EncoderKind.Vit : EncoderKind.Swin).Train.NoDecay];

    /// <summary>Positions of another grid, interpolated.</summary>
    public static void PositionInterpolation(RecordedCase recorded, Comparisons compare, Step step)
    {
        var got = Nn.PositionInterpolation.Resample(
            recorded.Floats("src"), recorded.Grid("grid_from"), recorded.Grid("grid_to"), recorded.Integer("embed_dim"),
            recorded.Flag("cls_token"));
        compare.Norm("dst", got, recorded.Floats("dst"), Tolerance.Output);
    }

    // The file has names only; a decay depends on whether a parameter is a vector, which its name tells.
    private static long[] SimMimShape(string name)
    {
        var isVector = name.EndsWith("bias", StringComparison.Ordinal) || name.Contains("norm", StringComparison.Ordinal)
            || name.Contains("gamma_", StringComparison.Ordinal);
        return isVector ? [1] : [1, 1];
    }

    private static float[] ColumnSums(float[] table, int dim)
    {
        var sums = new double[dim];
        for (var i = 0; i < table.Length; i++)
        {
            sums[i % dim] += table[i];
        }
        return [.. sums.Select(s => (float)s)];
    }

    // The number behind a prefix: 3 of "first3".
    private static int? Suffix(string name, string prefix) =>
        name.StartsWith(prefix, StringComparison.Ordinal) &&
        int.TryParse(name[prefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;
}
