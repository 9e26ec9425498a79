using MimNative.Evaluation;
using MimNative.Nn;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Evaluation;

/// <summary>Distances and maps of attention whose weights are known.</summary>
public sealed class AttentionDistanceTests
{
    private const int Patch = 16;

    [TestCase(false)]
    [TestCase(true)]
    public void Equal_weights_have_the_mean_distance_of_all_pairs(bool classToken)
    {
        var layer = Layer(1, 6, classToken, sharpness: 0);
        var distance = Distance(layer);
        // the mean of |i - j| over pairs of n places is (n^2 - 1) / 3n
        var expected = Patch * 35.0 / 18;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(distance.Heads, Has.Exactly(2).EqualTo(expected).Within(1e-9));
            Assert.That(distance.Uniform, Is.EqualTo(expected).Within(1e-9));
            Assert.That(distance.Mean, Is.EqualTo(expected).Within(1e-9));
        }
    }

    [Test]
    public void Tokens_that_see_themselves_alone_have_no_distance() =>
        Assert.That(Distance(Layer(3, 4, classToken: false, sharpness: 1000)).Heads, Has.Exactly(2).EqualTo(0).Within(1e-9));

    // Each query sees itself with weight e / (e + 11) and every other patch with 1 / (e + 11).
    [Test]
    public void A_weight_counts_as_much_as_it_is()
    {
        var distance = Distance(Layer(3, 4, classToken: false, sharpness: 1));
        Assert.That(distance.Mean, Is.EqualTo(distance.Uniform * 12 / (Math.E + 11)).Within(1e-5).Percent);
    }

    [Test]
    public void Inside_windows_a_token_sees_no_further_than_its_window()
    {
        var partition = new WindowPartition(4, 4, 2, 0);
        var distance = Distance(Layer(4, 4, classToken: false, sharpness: 0, partition.Tokens()));
        Assert.That(distance.Mean, Is.EqualTo(Patch * (2 + Math.Sqrt(2)) / 4).Within(1e-9));
    }

    [Test]
    public void Distances_of_several_images_are_their_mean()
    {
        AttentionLayer near = Layer(1, 6, classToken: false, sharpness: 1000), far = Layer(1, 6, classToken: false, sharpness: 0);
        var distance = AttentionDistance.Of(near);
        distance.Add(near, Patch, 6 * Patch);
        distance.Add(far, Patch, 6 * Patch);
        Assert.That(distance.Mean, Is.EqualTo(Patch * 35.0 / 36).Within(1e-9));
    }

    [TestCase(null)]
    [TestCase(1)]
    public void A_map_has_the_weights_of_its_query(int? head)
    {
        var map = AttentionMap.Of(Layer(3, 4, classToken: true, sharpness: 1), head, row: 2, column: 1, rows: 3, columns: 4);
        var all = Math.E + 11 + 1;   // itself, the other patches, the class token, which has a score of 0 too
        using (Assert.EnterMultipleScope())
        {
            Assert.That(map.Query, Is.EqualTo(9));
            Assert.That(map.Weights[9], Is.EqualTo(Math.E / all).Within(1e-6));
            Assert.That(map.Weights[0], Is.EqualTo(1 / all).Within(1e-6));
            Assert.That(map.Weights.Sum() + map.ClassWeight, Is.EqualTo(1).Within(1e-12));
        }
    }

    [TestCase(0, 0, 0)]
    [TestCase(5, 7, 11)]
    [TestCase(3, 2, 5)]
    public void A_query_of_a_finer_grid_is_the_token_that_covers_it(int row, int column, int token) =>
        Assert.That(AttentionMap.Of(Layer(3, 4, false, 1), 0, row, column, rows: 6, columns: 8).Query, Is.EqualTo(token));

    [Test]
    public void A_head_that_is_not_there_is_named() => Assert.That(
        () => AttentionMap.Of(Layer(3, 4, false, 1), 2, 0, 0, 3, 4),
        Throws.ArgumentException.With.Message.EqualTo("there is no head 2 in encoder.0, expected 0 to 1 or mean"));

    [Test]
    public void A_hidden_query_is_named()
    {
        var layer = Layer(3, 4, classToken: true, sharpness: 1, visible: [4, 0, 7]);
        var map = AttentionMap.Of(layer, null, 1, 3, 3, 4);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(map.Weights.Select((w, i) => (w, i)).Where(x => !double.IsNaN(x.w)).Select(x => x.i), Is.EqualTo(new[] { 0, 4, 7 }));
            Assert.That(map.Weights[7], Is.GreaterThan(map.Weights[4]));
            Assert.That(
                () => AttentionMap.Of(layer, null, 0, 1, 3, 4),
                Throws.ArgumentException.With.Message.StartsWith("the query patch 0,1 is hidden from encoder.0"));
        }
    }

    [Test]
    public void White_is_the_largest_weight_and_black_the_query()
    {
        using var picture = Image.Create(3 * 8, 4 * 8);
        picture.Pixels.Fill(200);
        var weights = new double[12];
        (weights[5], weights[6], weights[7], weights[0]) = (0.5, 0.2, 0.1, double.NaN);
        using var heat = AttentionSheet.Heat(picture, new AttentionMap("encoder.0", null, 3, 4, Query: 5, weights, 0));
        byte At(int patch) => heat.Pixels[(((patch / 4 * 8) + 4) * 32 * 3) + (((patch % 4 * 8) + 4) * 3)];
        Assert.That(
            new[] { At(5), At(6), At(7), At(1), At(0) }, Is.EqualTo(new byte[] { 0, 255, 178, 100, 100 }),
            "the query, the largest, half of it, nothing, no token");
    }

    [Test]
    public void A_plot_shows_every_layer()
    {
        var distance = Distance(Layer(3, 4, classToken: false, sharpness: 1));
        using var plot = AttentionDistancePlot.Draw([distance, distance], "title");
        Assert.That((plot.Width, plot.Height), Is.EqualTo((720 + (13 * 6) + 30, 400 + 18 + 4)));
    }

    private static AttentionDistance Distance(AttentionLayer layer)
    {
        var distance = AttentionDistance.Of(layer);
        distance.Add(layer, layer.Rows * Patch, layer.Columns * Patch);
        return distance;
    }

    // Two heads over a grid: the score of a pair is the sharpness where both are the same patch, 0 otherwise.
    private static AttentionLayer Layer(
        int rows, int columns, bool classToken, float sharpness, int[]? windows = null, int[]? visible = null)
    {
        using var run = TestRun.On(Device.Cpu);
        int patches = visible?.Length ?? (rows * columns), first = classToken ? 1 : 0, tokens = patches + first;
        var q = new float[tokens * 2 * tokens];
        for (var i = first; i < tokens; i++)
        {
            q[(2 * i * tokens) + i] = q[(((2 * i) + 1) * tokens) + i] = 1;
        }
        var tensor = run.Step.FromHost<float>(q, 1, tokens, 2, tokens);
        var position = windows is null
            ? default
            : new AttentionPosition { Windows = run.Step.FromHost<int>(windows, windows.Length / 4, 4) };
        var ids = visible is null ? Tensor.None : run.Step.FromHost<int>(visible, 1, patches);
        return new AttentionLayer(
            "encoder.0",
            new AttentionCall("blocks.0.attn", tensor, tensor, tensor, tensor, position, sharpness, new TokenPlaces(rows, columns, classToken, ids)),
            run.Step);
    }
}
