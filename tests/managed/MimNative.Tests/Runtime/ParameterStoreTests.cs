using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Runtime;

public sealed class ParameterStoreTests
{
    private TestRun _run = null!;
    private ParameterStore _store = null!;

    [SetUp]
    public void Open()
    {
        _run = TestRun.On(Device.Cpu);
        _store = _run.Store;
    }

    [TearDown]
    public void Close() => _run.Dispose();

    [Test]
    public void Names_are_the_path_of_scopes()
    {
        var weight = _store.Root["blocks.0"]["attn"].Add("weight", Initializer.Ones, trainable: true, 2, 3);
        _store.Root.Add("mask_token", Initializer.Zeros, trainable: true, 4);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_store.Parameters.Select(p => p.Name), Is.EqualTo(new[] { "blocks.0.attn.weight", "mask_token" }));
            Assert.That(_store["blocks.0.attn.weight"], Is.SameAs(weight));
            Assert.That(_store.Contains("mask_token") && !_store.Contains("mask"));
            Assert.That(() => _store["mask"], Throws.TypeOf<KeyNotFoundException>().With.Message.Contains("'mask'"));
        }
    }

    [Test]
    public void A_name_is_given_once_and_before_the_memory_is_made()
    {
        _store.Add("a", Initializer.Ones, trainable: true, 2);
        Assert.That(
            () => _store.Add("a", Initializer.Ones, trainable: false, 3),
            Throws.InvalidOperationException.With.Message.EqualTo("parameter 'a' is registered twice"));
        Assert.That(() => _store["a"].Value, Throws.InvalidOperationException);
        _store.Allocate(_run.Context);
        Assert.That(
            () => _store.Add("b", Initializer.Ones, trainable: true, 2),
            Throws.InvalidOperationException.With.Message.Contains("'b'"));
    }

    [Test]
    public void Parameters_lie_one_behind_the_other_in_flat_buffers_at_multiples_of_64_bytes()
    {
        var a = _store.Add("a", new Initializer.Constant(1), trainable: true, 3);
        var fixedTable = _store.Add("table", new Initializer.Table([5, 6]), trainable: false, 2);
        var b = _store.Add("b", new Initializer.Constant(2), trainable: true, 4, 5);
        _store.Allocate(_run.Context);
        _store.Initialize(0, _run.Step);
        MimNative.Ops.Fill(b.Grad, 9, _run.Step);

        var values = _store.Values.Span<float>().ToArray();
        using (Assert.EnterMultipleScope())
        {
            Assert.That((a.Offset, b.Offset, values.Length), Is.EqualTo((0L, 16L, 48)));
            Assert.That(values[..3], Has.All.EqualTo(1f));
            Assert.That(values[16..36], Has.All.EqualTo(2f));
            Assert.That(values[3..16].Concat(values[36..]), Has.All.Zero, "gaps");
            Assert.That(_store.Grads.Span<float>()[16..36].ToArray(), Has.All.EqualTo(9f));
            Assert.That(fixedTable.Value.Span<float>().ToArray(), Is.EqualTo(new float[] { 5, 6 }));
            Assert.That(fixedTable.Grad.IsAbsent);
            Assert.That(b.ValueAs(2, -1).Shape, Is.EqualTo(new long[] { 2, 10 }));
            Assert.That(_store.TrainedCount, Is.EqualTo(23));
            Assert.That(_store.Bytes, Is.EqualTo(4 * (4 * 48 + 16)));
        }
    }

    [Test]
    public void A_step_in_bf16_needs_a_store_that_was_allocated_for_it()
    {
        var a = _store.Add("a", Initializer.Ones, trainable: true, 3);
        _store.Allocate(_run.Context);
        using var step = new Step(_run.Context) { Compute = DType.BF16 };
        Assert.That(_store.Rounded.IsAbsent);
        Assert.That(() => a.Weight(step), Throws.InvalidOperationException.With.Message.Contains("no BF16 copy of 'a'"));
        using var other = new ParameterStore();
        var b = other.Add("b", new Initializer.Constant(1.5f), trainable: true, 3);
        other.Allocate(_run.Context, DType.BF16);
        other.Initialize(0, _run.Step);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(b.Weight(step).Type, Is.EqualTo(DType.BF16));
            Assert.That(b.WeightAs(step, 3, 1).Shape, Is.EqualTo(new long[] { 3, 1 }));
            Assert.That(other.Bytes, Is.EqualTo(4 * (4 * 16 + 0) + 2 * 16));
        }
    }

    [Test]
    public void Initial_values_depend_on_the_seed_and_the_name_alone()
    {
        var xavier = new Initializer.XavierUniform(8, 8);
        float[] Values(long seed, params string[] names)
        {
            using var store = new ParameterStore();
            foreach (var name in names)
            {
                store.Add(name, xavier, trainable: true, 8, 8);
            }
            store.Allocate(_run.Context);
            store.Initialize(seed, _run.Step);
            return _run.Step.ToArray<float>(store["w"].Value);
        }
        var alone = Values(3, "w");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Values(3, "before", "w", "after"), Is.EqualTo(alone));
            Assert.That(Values(4, "w"), Is.Not.EqualTo(alone));
            Assert.That(_run.Step.ToArray<float>(Other(xavier)), Is.Not.EqualTo(alone));
        }

        Tensor Other(Initializer initializer)
        {
            _store.Add("v", initializer, trainable: true, 8, 8);
            _store.Allocate(_run.Context);
            _store.Initialize(3, _run.Step);
            return _store["v"].Value;
        }
    }

    [Test]
    public void Initial_values_have_the_moments_that_their_names_say()
    {
        const int count = 40_000;   // a mean is then known to 1/200 of the deviation
        var normal = _store.Add("normal", new Initializer.Normal(0.02), trainable: true, count);
        var uniform = _store.Add("uniform", new Initializer.XavierUniform(100, 50), trainable: true, count);
        _store.Allocate(_run.Context);
        _store.Initialize(7, _run.Step);
        double bound = Math.Sqrt(6.0 / 150);
        float[] n = _run.Step.ToArray<float>(normal.Value), u = _run.Step.ToArray<float>(uniform.Value);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(n.Average(), Is.Zero.Within(0.02 * 4 / 200));
            Assert.That(Deviation(n), Is.EqualTo(0.02).Within(2).Percent);
            Assert.That(n.Count(v => Math.Abs(v) < 0.02) / (double)count, Is.EqualTo(0.6827).Within(0.01), "within one deviation");
            Assert.That(u.Average(), Is.Zero.Within(bound * 4 / 200));
            Assert.That(Deviation(u), Is.EqualTo(bound / Math.Sqrt(3)).Within(2).Percent);
            Assert.That(u.Max(), Is.InRange(0.999 * bound, 1.000001 * bound));
            Assert.That(u.Min(), Is.InRange(-1.000001 * bound, -0.999 * bound));
        }
    }

    private static double Deviation(float[] values) => Math.Sqrt(values.Average(v => (double)v * v));
}
