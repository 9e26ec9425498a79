using MimNative.Nn;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Nn;

public sealed class PositionTests
{
    [Test]
    public void Relative_rows_tell_offsets_and_the_class_token_apart()
    {
        const int rows = 2, columns = 3;
        var index = RelativePositionBias.Index(rows, columns, classToken: true);
        var offsets = new Dictionary<int, (int, int)>();
        for (var i = 1; i < 7; i++)
        {
            for (var j = 1; j < 7; j++)
            {
                var offset = (((i - 1) / columns) - ((j - 1) / columns), ((i - 1) % columns) - ((j - 1) % columns));
                var row = index[(i * 7) + j];
                Assert.That(offsets.TryAdd(row, offset) || offsets[row] == offset, $"row {row} has two offsets");
            }
        }
        using (Assert.EnterMultipleScope())
        {
            Assert.That(offsets.Keys, Is.EquivalentTo(Enumerable.Range(0, 15)));
            Assert.That(offsets.Values, Is.Unique);
            Assert.That((index[1], index[7], index[0]), Is.EqualTo((15, 16, 17)));  // class to token, token to class, both
            Assert.That(RelativePositionBias.Rows(rows, columns, classToken: true), Is.EqualTo(18));
        }
    }

    [TestCase(0, 0)]
    [TestCase(1, 1)]
    [TestCase(-1, -1)]
    [TestCase(2, 2)]
    [TestCase(3, 2)]
    [TestCase(4, 3)]
    [TestCase(-5, -3)]
    [TestCase(100, 3)]
    public void Far_offsets_share_a_bucket(int offset, int bucket) => Assert.That(ContextualPosition.Piecewise(offset), Is.EqualTo(bucket));

    [Test]
    public void Stochastic_depth_keeps_the_expectation_and_spares_the_first_block()
    {
        using var run = TestRun.On(Device.Cpu);
        var depth = new StochasticDepth(0.4, 5);
        long[] samples = [.. Enumerable.Range(0, 4000)];
        var factors = run.Step.ToArray<float>(depth.Draw(new BatchKey(samples, Seed: 1, Epoch: 0), run.Step)).Chunk(4000).ToArray();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(factors, Has.Length.EqualTo(10));
            Assert.That(factors[0], Has.All.EqualTo(1));
            for (var i = 0; i < 10; i++)
            {
                var rate = 0.1 * (i / 2);
                Assert.That(factors[i].Count(f => f == 0) / 4000.0, Is.EqualTo(rate).Within(0.04), $"branch {i}");
                Assert.That(factors[i].Where(f => f != 0), Has.All.EqualTo((float)(1 / (1 - rate))).Within(1e-6));
            }
            Assert.That(factors[8], Is.Not.EqualTo(factors[9]));
            Assert.That(new StochasticDepth(0, 5).Draw(new BatchKey(samples, 1, 0), run.Step).IsAbsent);
        }
    }
}
