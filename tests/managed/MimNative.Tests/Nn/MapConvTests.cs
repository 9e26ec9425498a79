using MimNative.Nn;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Nn;

/// <summary>Convolutions of token maps whose kernel is their stride, both ways.</summary>
[TestFixtureSource(typeof(Devices), nameof(Devices.Present))]
public sealed class MapConvTests(Device device)
{
    private const int Rows = 4, Columns = 6, Inputs = 3, Outputs = 5, Batch = 2;

    [TestCase(1, 0)]
    [TestCase(2, 0)]
    [TestCase(2, 1)]
    public void A_strided_convolution_is_its_definition(int kernel, int before)
    {
        using var run = TestRun.On(device, seed: 21);
        var conv = new StridedConv(run.Store.Root, Rows, Columns, kernel, Inputs, Outputs);
        run.Allocate();
        float[] w = run.Step.ToArray<float>(run.Store["weight"].Value), bias = run.Step.ToArray<float>(run.Store["bias"].Value);
        const int tokens = Rows * Columns;
        var x = run.Numbers(Batch * (before + tokens) * Inputs);
        var y = conv.Forward(run.Step.FromHost<float>(x, Batch, before + tokens, Inputs), Tensor.None, run.Step, out _);

        int rows = Rows / kernel, columns = Columns / kernel;
        float[] want =
        [
            .. from b in Enumerable.Range(0, Batch)
               from i in Enumerable.Range(0, rows)
               from j in Enumerable.Range(0, columns)
               from n in Enumerable.Range(0, Outputs)
               select (float)(bias[n] + (
                   from c in Enumerable.Range(0, Inputs)
                   from p in Enumerable.Range(0, kernel)
                   from q in Enumerable.Range(0, kernel)
                   let token = (((i * kernel) + p) * Columns) + (j * kernel) + q
                   select (double)w[(((((n * Inputs) + c) * kernel) + p) * kernel) + q] *
                       x[(((b * (before + tokens)) + before + token) * Inputs) + c]).Sum()),
        ];
        Assert.That(y.Shape, Is.EqualTo(new long[] { Batch, rows * columns, Outputs }));
        Assert.That(GradientCheck.RelativeError(run.Step.ToArray<float>(y), want), Is.LessThan(1e-6));
    }

    [Test]
    public void Asking_for_some_blocks_changes_no_number()
    {
        using var run = TestRun.On(device, seed: 22);
        var conv = new StridedConv(run.Store.Root, Rows, Columns, 2, Inputs, Outputs);
        run.Allocate();
        var x = run.Random(Batch, Rows * Columns, Inputs);
        int[] ids = [4, 0, 1, 5];
        var all = run.Step.ToArray<float>(conv.Forward(x, Tensor.None, run.Step, out _));
        var some = run.Step.ToArray<float>(conv.Forward(x, run.Step.FromHost<int>(ids, Batch, 2), run.Step, out _));
        float[] want = [.. ids.SelectMany((id, i) => all.AsSpan(((i / 2 * 6) + id) * Outputs, Outputs).ToArray())];
        Assert.That(GradientCheck.RelativeError(some, want), Is.LessThan(1e-6));
    }

    [TestCase(2, 0, false)]
    [TestCase(2, 1, false)]
    [TestCase(2, 0, true)]
    [TestCase(1, 1, true)]
    public void Backward_of_a_strided_convolution_matches_directional_derivative(int kernel, int before, bool some)
    {
        using var run = TestRun.On(device, seed: 23);
        var conv = new StridedConv(run.Store.Root, Rows, Columns, kernel, Inputs, Outputs);
        run.Allocate();
        GradientCheck.Layer(
            run, [Batch, before + (Rows * Columns), Inputs],
            (Tensor x, Step step, out StridedConv.Saved saved) =>
                conv.Forward(x, some ? step.FromHost<int>([4, 0, 1, 5], Batch, 2) : Tensor.None, step, out saved),
            conv.Backward);
    }

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    public void Backward_of_a_transposed_convolution_matches_directional_derivative(int kernel)
    {
        using var run = TestRun.On(device, seed: 24);
        var conv = new TransposedConv(run.Store.Root, 2, 3, kernel, Inputs, Outputs);
        run.Allocate();
        GradientCheck.Layer(
            run, [Batch, 6, Inputs],
            (Tensor x, Step step, out TransposedConv.Saved saved) => conv.Forward(x, step, out saved), conv.Backward);
    }

    // <transposed(y), x> = <y, conv(x)> for the same weight: the sum over all places of both is one number.
    [Test]
    public void A_transposed_convolution_is_the_adjoint_of_the_strided_one()
    {
        using var run = TestRun.On(device, seed: 25);
        using ParameterStore forth = new(), back = new();
        var conv = new StridedConv(forth.Root, Rows, Columns, 2, Inputs, Outputs);
        var transposed = new TransposedConv(back.Root, Rows / 2, Columns / 2, 2, Outputs, Inputs);
        foreach (var store in new[] { forth, back })
        {
            store.Allocate(run.Context);
            MimNative.Ops.Fill(store.Values, 0, run.Step);
            run.Step.Upload<float>([.. Enumerable.Range(0, Outputs * Inputs * 4).Select(i => (float)Math.Sin(i))], store["weight"].Value);
        }
        Tensor x = run.Random(Batch, Rows * Columns, Inputs), y = run.Random(Batch, Rows * Columns / 4, Outputs);
        double Dot(Tensor a, Tensor b) =>
            run.Step.ToArray<float>(a).Zip(run.Step.ToArray<float>(b), (u, v) => (double)u * v).Sum();
        var left = Dot(transposed.Forward(y, run.Step, out _), x);
        var right = Dot(y, conv.Forward(x, Tensor.None, run.Step, out _));
        Assert.That(left, Is.EqualTo(right).Within(1e-4));
        Assert.That(Math.Abs(right), Is.GreaterThan(1e-2));
    }

    [Test]
    public void Blocks_that_do_not_tile_the_map_are_refused()
    {
        using var store = new ParameterStore();
        Assert.That(
            () => new StridedConv(store.Root, 4, 6, 4, 3, 5),
            Throws.ArgumentException.With.Message.EqualTo("blocks of 4 x 4 tokens do not tile a map of 4 x 6"));
    }
}
