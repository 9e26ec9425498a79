using System.Globalization;
using System.Text.Json;
using MimNative.Masking;
using MimNative.Nn;
using MimNative.Runtime;
using MimNative.Training;

namespace MimNative.Evaluation.Verification;

/// <summary>Tables: positions, mask counts, learning rates.</summary>
internal static class TableCases
{
    /// <summary>The sine-cosine positions, whole or as selected rows; mmselfsup's variant has the row first.</summary>
    public static void SinCos(RecordedCase recorded, Comparisons compare, Step step)
    {
        var grid = recorded.Json("grid");  // a side, or height and width
        var (height, width) = grid.ValueKind == JsonValueKind.Array
            ? (grid[0].GetInt32(), grid[1].GetInt32())
            : (grid.GetInt32(), grid.GetInt32());
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
            var schedule = new LearningRateSchedule
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
