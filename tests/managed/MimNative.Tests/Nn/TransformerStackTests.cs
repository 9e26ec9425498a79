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
    public void Backward_needs_no_memory_of_its_own_for_each_block()
    {
        using var run = TestRun.On(device, seed: 10);
        long Planned(int depth, bool backward)
        {
            using var store = new ParameterStore();
            var stack = new TransformerStack(store.Root, "blocks", depth, _ => new BlockSettings(Dim, Heads: 3, MlpRatio: 2, Eps: 1e-6f));
            store.Allocate(run.Context);
            using var step = new Step(run.Context);
            return step.Plan(planned =>
            {
                var y = stack.Forward(planned.Empty(DType.F32, Batch * Tokens, Dim), Batch, planned, out var saved);
                if (backward)
                {
                    stack.Backward(planned.EmptyLike(y.Stream), saved, planned);
                }
            }).Arena;
        }
        Assert.That(Planned(5, backward: true) - Planned(5, backward: false), Is.EqualTo(Planned(2, true) - Planned(2, false)));
    }

    private static TransformerStack Make(TestRun run, int depth) =>
        new(run.Store.Root, "blocks", depth, _ => new BlockSettings(Dim, Heads: 3, MlpRatio: 2, Eps: 1e-6f));
}
