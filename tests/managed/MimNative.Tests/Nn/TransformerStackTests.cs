using MimNative.Nn;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Nn;

[TestFixtureSource(typeof(Devices), nameof(Devices.Present))]
public sealed class TransformerStackTests(Device device)
{
    private const int Dim = 12, Batch = 2, Tokens = 4;

    [Test]
    public void Backward_matches_directional_derivative([Values(1, 3)] int depth)
    {
        using var run = TestRun.On(device, seed: 9);
        var stack = Make(run, depth);
        run.Allocate();
        GradientCheck.Layer(
            run, [Batch * Tokens, Dim],
            (Tensor x, Step step, out TransformerStack.Saved saved) =>
            {
                var z = stack.Forward(x, Batch, step, out saved);
                return run.Sum(z.Stream, z.Branch);
            },
            stack.Backward);
    }

    [Test]
    public void Parameters_have_their_upstream_names()
    {
        using var run = TestRun.On(device);
        Make(run, depth: 2);
        var names = run.Store.Parameters.Select(p => p.Name).ToArray();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(names, Has.Length.EqualTo(2 * 12));
            Assert.That(names, Is.SupersetOf(new[]
            {
                "blocks.0.norm1.weight", "blocks.0.attn.qkv.weight", "blocks.0.attn.qkv.bias", "blocks.1.attn.proj.weight",
                "blocks.1.norm2.bias", "blocks.1.mlp.fc1.weight", "blocks.1.mlp.fc2.bias",
            }));
        }
    }

    [Test]
    public void Backward_releases_what_the_blocks_saved()
    {
        using var run = TestRun.On(device, seed: 10);
        var stack = Make(run, depth: 3);
        run.Allocate();
        run.Step.Begin();
        var x = run.Random(Batch * Tokens, Dim);
        var before = run.Step.Mark();
        var y = stack.Forward(x, Batch, run.Step, out var saved);
        var after = run.Step.Mark();
        stack.Backward(y.Branch, saved, run.Step);
        using (Assert.EnterMultipleScope())
        {
            // The gradient of x takes the place of what the first block saved.
            Assert.That(run.Step.Mark() - before, Is.EqualTo(sizeof(float) * Batch * Tokens * Dim));
            Assert.That(after - before, Is.GreaterThan(3 * 10 * sizeof(float) * Batch * Tokens * Dim));
        }
    }

    private static TransformerStack Make(TestRun run, int depth) =>
        new(run.Store.Root, "blocks", depth, _ => new BlockSettings(Dim, Heads: 3, MlpRatio: 2, Eps: 1e-6f));
}
