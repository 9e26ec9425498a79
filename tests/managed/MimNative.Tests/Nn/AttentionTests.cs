using MimNative.Nn;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Nn;

[TestFixtureSource(typeof(Devices), nameof(Devices.Present))]
public sealed class AttentionTests(Device device)
{
    [TestCase(1, 1, 1)]
    [TestCase(2, 5, 3)]
    [TestCase(1, 17, 2)]
    public void Backward_matches_directional_derivative(int batch, int tokens, int heads)
    {
        using var run = TestRun.On(device, seed: 4);
        var layer = new Attention(run.Store.Root, 12, heads);
        run.Allocate();
        GradientCheck.Layer(
            run, [batch * tokens, 12],
            (Tensor x, Step step, out Attention.Saved saved) => layer.Forward(x, batch, step, out saved),
            layer.Backward);
    }

    [Test]
    public void Images_of_a_batch_do_not_see_each_other()
    {
        using var run = TestRun.On(device, seed: 5);
        var layer = new Attention(run.Store.Root, 8, 2);
        run.Allocate();
        float[] first = run.Numbers(3 * 8), second = run.Numbers(3 * 8);
        float[] Out(float[] x, int batch) => run.Step.ToArray<float>(
            layer.Forward(run.Step.FromHost<float>(x, batch * 3, 8), batch, run.Step, out _));
        float[] both = Out([.. first, .. second], 2), alone = [.. Out(first, 1), .. Out(second, 1)];
        Assert.That(GradientCheck.RelativeError(both, alone), Is.LessThan(1e-6));
    }

    [Test]
    public void Channels_that_the_heads_cannot_share_are_an_error()
    {
        using var run = TestRun.On(device);
        Assert.That(
            () => new Attention(run.Store.Root, 10, 4),
            Throws.ArgumentException.With.Message.Contains("10 channels").And.Message.Contains("4 heads"));
    }
}
