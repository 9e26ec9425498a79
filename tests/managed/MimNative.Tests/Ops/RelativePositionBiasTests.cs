using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests;

[TestFixtureSource(typeof(Devices), nameof(Devices.Present))]
public sealed class RelativePositionBiasTests(Device device)
{
    [Test]
    public void A_row_of_the_table_is_looked_up_for_each_pair_and_gets_their_gradients()
    {
        using var run = TestRun.On(device);
        var index = run.Step.FromHost<int>([2, 0, 0, 2, 2, 1], 2, 3);
        var table = run.Step.FromHost<float>([1, 10, 2, 20, 3, 30], 3, 2);
        var bias = Ops.RelativePositionBias(table, index, run.Step);
        Assert.That(bias.Shape, Is.EqualTo(new long[] { 2, 2, 3 }));
        Assert.That(run.Step.ToArray<float>(bias), Is.EqualTo(new float[] { 3, 1, 1, 3, 3, 2, 30, 10, 10, 30, 30, 20 }));

        var dbias = run.Step.FromHost<float>([1, 2, 4, 8, 16, 32, 3, 6, 12, 24, 48, 96], 2, 2, 3);
        var dtable = run.Step.FromHost<float>([100, 100, 100, 100, 100, 100], 3, 2);
        Ops.RelativePositionBiasBackward(dbias, index, dtable, run.Step);
        Assert.That(run.Step.ToArray<float>(dtable), Is.EqualTo(new float[] { 106, 118, 132, 196, 125, 175 }));
    }
}
