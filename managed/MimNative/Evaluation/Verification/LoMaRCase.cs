using MimNative.Encoders;
using MimNative.Masking;
using MimNative.Methods;
using MimNative.Nn;
using MimNative.Runtime;
using MimNative.Targets;

namespace MimNative.Evaluation.Verification;

/// <summary>A whole LoMaR: windows, masks, buckets, outputs, loss and every gradient, the images' too; and the tables of buckets.</summary>
internal static class LoMaRCase
{
    public static void Check(RecordedCase recorded, Comparisons compare, Step step)
    {
        using var store = new ParameterStore();
        var shape = recorded.Shape("imgs", 4);
        var lomar = Build(recorded, store, shape);
        store.Allocate(step.Context);
        recorded.LoadParameters(store, "param/", step, lomar.Ignores);

        var rows = new RowOrder((int)shape[0], lomar.Masking.Windows);
        int[] tops = recorded.Ints("randperm_top")[..rows.Windows], lefts = recorded.Ints("randperm_left")[..rows.Windows];
        compare.Exact<int>("tops", tops, recorded.Ints("tops"));
        compare.Exact<int>("lefts", lefts, recorded.Ints("lefts"));
        compare.Exact<int>("row_image", [.. Enumerable.Range(0, rows.Count).Select(rows.Image)], recorded.Ints("row_image"));
        compare.Exact<int>("row_window", [.. Enumerable.Range(0, rows.Count).Select(rows.Window)], recorded.Ints("row_window"));
        int[][] orders = [.. recorded.Floats("noise").Chunk(lomar.Masking.Size).Select(Order)];
        CompareMasks(recorded, compare, lomar, rows, tops, lefts, orders);
        var side = recorded.Integer("window_size");
        compare.Exact<int>("rpe_bucket_ids", ContextualPosition.Of(side, side), recorded.Ints("rpe_bucket_ids"));

        // This library has an image's windows beside each other: row (n, k) here is row k N + n there.
        WindowPlace[] places = [.. rows.Ours().Select(r => new WindowPlace(tops[rows.Window(r)], lefts[rows.Window(r)]))];
        var mask = lomar.Masking.From(places, rows.Ours().SelectMany(r => orders[r]).ToArray(), step);
        var images = recorded.Load("imgs", step);
        var pred = step.ToArray<float>(lomar.Predict(images, mask, step));
        compare.Norm("pred", rows.AsRecorded(pred), recorded.Floats("pred"), Tolerance.Output);

        var loss = step.Empty(DType.F32, 1);
        var dimages = Ops.Filled(0, DType.F32, step, images.Shape);
        lomar.TrainStep(loss, images, mask, step, dimages: dimages);
        compare.Relative("loss", step.ToArray<float>(loss), recorded.Floats("loss"), Tolerance.Loss);
        LayerCases.CompareGradients(recorded, compare, store, step);
        if (recorded.Has("grad_imgs"))
        {
            compare.Norm("grad_imgs", step.ToArray<float>(dimages), recorded.Floats("grad_imgs"), Tolerance.Gradient);
        }
    }

    /// <summary>The piecewise function of offsets and the whole tables, with their class token in front.</summary>
    public static void CheckBuckets(RecordedCase recorded, Comparisons compare, Step step)
    {
        compare.Exact<int>(
            "piecewise", [.. recorded.Ints("offset").Select(ContextualPosition.Piecewise)], recorded.Ints("piecewise"));
        foreach (var name in recorded.Tensors.Where(t => t.StartsWith("bucket_ids_", StringComparison.Ordinal)))
        {
            int[] sides = [.. name.Split('_')[2].Split('x').Select(n => int.Parse(n, System.Globalization.CultureInfo.InvariantCulture))];
            compare.Exact<int>(name, ContextualPosition.Of(sides[0], sides[1]), recorded.Ints(name));
        }
    }

    private static LoMaR Build(RecordedCase recorded, ParameterStore store, ReadOnlySpan<long> images)
    {
        var grid = new PatchGrid((int)images[2], (int)images[3], (int)images[1], recorded.Integer("patch_size"));
        var encoder = new VitSettings(
            grid, recorded.Integer("embed_dim"), recorded.Integer("depth"), recorded.Integer("num_heads"),
            recorded.Number("mlp_ratio"), (float)recorded.Number("layer_norm_eps", 1e-6))
        {
            Position = PositionKind.None,
            RelativePosition = RelativePositionKind.Contextual,
        };
        Target target = recorded.Flag("norm_pix_loss") ? new NormalizedPixels() : new RawPixels();
        var settings = new LoMaRSettings(
            encoder, recorded.Integer("window_size"), recorded.Integer("num_window"), recorded.Number("mask_ratio"), target);
        return new LoMaR(store.Root, settings, (head, vit) => new LinearHead(
            head, vit.Grid, vit.OutputDim, vit.Grid.PatchSize, WeightInits.Xavier, isConvolution: false));
    }

    // Of each recorded row: the patches of its window, and which of them are hidden.
    private static void CompareMasks(
        RecordedCase recorded, Comparisons compare, LoMaR lomar, RowOrder rows, int[] tops, int[] lefts, int[][] orders)
    {
        var size = lomar.Masking.Size;
        int[] patches = new int[rows.Count * size], hidden = new int[rows.Count * size];
        for (var r = 0; r < rows.Count; r++)
        {
            var place = new WindowPlace(tops[rows.Window(r)], lefts[rows.Window(r)]);
            for (var i = 0; i < size; i++)
            {
                patches[(r * size) + i] = lomar.Masking.Patch(place, i);
            }
            foreach (var i in orders[r].AsSpan(0, lomar.Masking.Masked))
            {
                hidden[(r * size) + i] = 1;
            }
        }
        compare.Exact<int>("ids_restore", patches, recorded.Ints("ids_restore"));
        compare.Exact<int>("mask_indices", hidden, recorded.Ints("mask_indices"));
    }

    private static int[] Order(float[] noise)
    {
        int[] order = [.. Enumerable.Range(0, noise.Length)];
        Array.Sort(noise, order);
        return order;
    }

    // Upstream's rows: row r joins image r mod N with window r mod W.
    private sealed record RowOrder(int Images, int Windows)
    {
        public int Count => Images * Windows;

        public int Image(int row) => row % Images;

        public int Window(int row) => row % Windows;

        // For each row of this library its row there.
        public IEnumerable<int> Ours() =>
            Enumerable.Range(0, Images).SelectMany(n => Enumerable.Range(0, Windows).Select(k => (k * Images) + n));

        public float[] AsRecorded(float[] values)
        {
            var result = new float[values.Length];
            var length = values.Length / Count;
            foreach (var (theirs, ours) in Ours().Select((r, i) => (r, i)))
            {
                values.AsSpan(ours * length, length).CopyTo(result.AsSpan(theirs * length));
            }
            return result;
        }
    }
}
