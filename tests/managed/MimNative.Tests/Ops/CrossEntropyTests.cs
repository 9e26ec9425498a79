using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests;

[TestFixtureSource(typeof(Devices), nameof(Devices.Present))]
public sealed class CrossEntropyTests(Device device)
{
    [Test]
    public void Classes_that_are_equally_likely_cost_the_logarithm_of_their_number()
    {
        using var run = TestRun.On(device);
        var step = run.Step;
        Tensor logits = step.FromHost<float>([7, 7, 7, 7, -2, -2, -2, -2], 2, 4), labels = step.FromHost<int>([3, 0], 2);
        Tensor loss = step.Empty(DType.F32, 1), perRow = step.Empty(DType.F32, 2), dlogits = step.EmptyLike(logits);
        Ops.CrossEntropy(loss, perRow, dlogits, logits, labels, smoothing: 0, gradScale: 2, step);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(step.ToArray<float>(loss), Is.EqualTo(new[] { MathF.Log(4) }).Within(1e-6));
            Assert.That(step.ToArray<float>(perRow), Is.EqualTo(new[] { MathF.Log(4), MathF.Log(4) }).Within(1e-6));
            Assert.That(
                step.ToArray<float>(dlogits),
                Is.EqualTo(new[] { 0.25f, 0.25f, 0.25f, -0.75f, -0.75f, 0.25f, 0.25f, 0.25f }).Within(1e-6));
        }
    }

    [Test]
    public void Smoothing_takes_the_label_s_share_and_gives_it_to_all()
    {
        using var run = TestRun.On(device);
        var step = run.Step;
        Tensor logits = step.FromHost<float>([0, MathF.Log(3)], 1, 2), labels = step.FromHost<int>([1], 1);
        Tensor loss = step.Empty(DType.F32, 1), dlogits = step.EmptyLike(logits);
        Ops.CrossEntropy(loss, Tensor.None, dlogits, logits, labels, smoothing: 0.2f, gradScale: 1, step);
        // p = (1/4, 3/4), q = (0.1, 0.9)
        var wanted = -0.1f * MathF.Log(0.25f) - 0.9f * MathF.Log(0.75f);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(step.ToArray<float>(loss), Is.EqualTo(new[] { wanted }).Within(1e-6));
            Assert.That(step.ToArray<float>(dlogits), Is.EqualTo(new[] { 0.15f, -0.15f }).Within(1e-6));
        }
    }

    [Test]
    public void Two_mixed_labels_cost_as_much_as_each_alone_in_the_mixture_s_parts()
    {
        using var run = TestRun.On(device);
        var step = run.Step;
        var logits = run.Random(1, 5);
        float Cost(Action<Tensor> compare)
        {
            var loss = step.Empty(DType.F32, 1);
            compare(loss);
            return step.ToArray<float>(loss)[0];
        }
        float Of(int label) => Cost(loss => Ops.CrossEntropy(
            loss, Tensor.None, Tensor.None, logits, step.FromHost<int>([label], 1), smoothing: 0.1f, gradScale: 1, step));
        var mixed = Cost(loss => Ops.SoftCrossEntropy(
            loss, Tensor.None, Tensor.None, logits, step.FromHost<float>([0, 0.3f, 0, 0, 0.7f], 1, 5), smoothing: 0.1f, gradScale: 1,
            step));
        Assert.That(mixed, Is.EqualTo(0.3f * Of(1) + 0.7f * Of(4)).Within(1e-5));
    }

    [Test]
    public void A_label_out_of_range_is_told_with_its_row()
    {
        using var run = TestRun.On(device);
        var labels = run.Step.FromHost<int>([0, 5, 1], 3);
        Assert.That(
            () => Ops.CrossEntropy(
                run.Step.Empty(DType.F32, 1), Tensor.None, Tensor.None, run.Random(3, 5), labels, 0, 1, run.Step),
            Throws.TypeOf<MimException>().With.Message.EqualTo("mim_cross_entropy: labels holds 5 at (1), expected 0 to 4"));
    }
}
