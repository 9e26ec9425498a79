using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests;

[TestFixtureSource(typeof(Devices), nameof(Devices.Present))]
public sealed class BatchNormTests(Device device)
{
    private const float Eps = 1e-6f;

    [Test]
    public void A_batch_is_normalised_by_itself_and_moves_the_running_statistics()
    {
        using var run = TestRun.On(device);
        var step = run.Step;
        // means 2 and 20, biased variances 1 and 100, unbiased ones 4/3 of that
        var x = step.FromHost<float>([1, 10, 3, 30, 1, 30, 3, 10], 4, 2);
        Tensor mean = step.FromHost<float>([0, 0], 2), variance = step.FromHost<float>([1, 1], 2);
        var y = Ops.BatchNorm(
            x, step.FromHost<float>([2, 1], 2), step.FromHost<float>([0, 5], 2), mean, variance, new(Training: true, Eps), step,
            out var batchMean, out var rstd);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(step.ToArray<float>(y), Is.EqualTo(new float[] { -2, 4, 2, 6, -2, 6, 2, 4 }).Within(1e-5));
            Assert.That(step.ToArray<float>(batchMean), Is.EqualTo(new float[] { 2, 20 }).Within(1e-5));
            Assert.That(step.ToArray<float>(rstd), Is.EqualTo(new[] { 1, 0.1f }).Within(1e-5));
            Assert.That(step.ToArray<float>(mean), Is.EqualTo(new[] { 0.2f, 2 }).Within(1e-6));
            Assert.That(
                step.ToArray<float>(variance), Is.EqualTo(new[] { 0.9f + 0.1f * 4 / 3, 0.9f + 0.1f * 400 / 3 }).Within(1e-5));
        }
    }

    [Test]
    public void Running_statistics_normalise_without_moving_and_have_no_gradient()
    {
        using var run = TestRun.On(device);
        var step = run.Step;
        Tensor mean = step.FromHost<float>([1, -1], 2), variance = step.FromHost<float>([4, 0.25f], 2);
        var settings = new BatchNormSettings(Training: false, Eps);
        var x = step.FromHost<float>([5, 0], 1, 2);
        var y = Ops.BatchNorm(
            x, Tensor.None, Tensor.None, mean, variance, settings, step, out var batchMean, out var rstd);
        var dy = step.FromHost<float>([3, 3], 1, 2);
        var dx = Ops.BatchNormBackward(
            dy, x, batchMean, rstd, Tensor.None, Tensor.None, Tensor.None, settings, step);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(step.ToArray<float>(y), Is.EqualTo(new float[] { 2, 2 }).Within(1e-5));
            Assert.That(step.ToArray<float>(dx), Is.EqualTo(new float[] { 1.5f, 6 }).Within(1e-4));
            Assert.That(step.ToArray<float>(mean), Is.EqualTo(new float[] { 1, -1 }));
            Assert.That(step.ToArray<float>(variance), Is.EqualTo(new float[] { 4, 0.25f }));
        }
    }

    [Test]
    public void What_moves_or_scales_a_whole_batch_has_no_gradient()
    {
        using var run = TestRun.On(device);
        var step = run.Step;
        var x = run.Random(9, 3);
        var settings = new BatchNormSettings(Training: true, Eps);
        var y = Ops.BatchNorm(
            x, Tensor.None, Tensor.None, Tensor.None, Tensor.None, settings, step, out var mean, out var rstd);
        Tensor dgamma = Ops.Filled(1, DType.F32, step, 3), dbeta = Ops.Filled(1, DType.F32, step, 3);
        var dx = step.ToArray<float>(Ops.BatchNormBackward(
            run.Random(9, 3), x, mean, rstd, Tensor.None, dgamma, dbeta, settings, step));
        var hat = step.ToArray<float>(y);
        for (var c = 0; c < 3; c++)
        {
            Assert.That(Enumerable.Range(0, 9).Sum(r => dx[3 * r + c]), Is.Zero.Within(1e-5));
            Assert.That(Enumerable.Range(0, 9).Sum(r => dx[3 * r + c] * hat[3 * r + c]), Is.Zero.Within(1e-4));
        }
        Assert.That(dx, Has.Some.GreaterThan(0.1f));
        var none = Ops.BatchNormBackward(
            run.Random(9, 3), x, mean, rstd, Tensor.None, dgamma, dbeta, settings, step, wantInput: false);
        Assert.That(none.IsAbsent, Is.True);
    }
}
