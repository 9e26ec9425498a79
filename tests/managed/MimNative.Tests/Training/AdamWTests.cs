using MimNative.Runtime;
using MimNative.Training;
using NUnit.Framework;

namespace MimNative.Tests.Training;

public sealed class AdamWTests
{
    private TestRun _run = null!;

    [SetUp]
    public void Open() => _run = TestRun.On(Device.Cpu, seed: 16);

    [TearDown]
    public void Close() => _run.Dispose();

    [TestCase("blocks.0.attn.qkv.weight", new long[] { 12, 4 }, true)]
    [TestCase("patch_embed.proj.weight", new long[] { 4, 3, 2, 2 }, true)]
    [TestCase("cls_token", new long[] { 1, 1, 4 }, true)]
    [TestCase("mask_token", new long[] { 1, 1, 4 }, true)]
    [TestCase("blocks.0.norm1.weight", new long[] { 4 }, false)]
    [TestCase("blocks.0.attn.qkv.bias", new long[] { 12 }, false)]
    [TestCase("relative_position.bias", new long[] { 3, 4 }, false)]
    public void Vectors_and_biases_do_not_decay(string name, long[] shape, bool decays) => Assert.That(
        AdamW.Decays(_run.Store.Add(name, Initializer.Ones, trainable: true, shape), []), Is.EqualTo(decays));

    [TestCase("encoder.cls_token", false)]
    [TestCase("cls_token", false)]
    [TestCase("encoder.mask_token", true)]
    [TestCase("encoder.my_cls_token", true)]
    public void Parameters_that_are_named_do_not_decay(string name, bool decays) => Assert.That(
        AdamW.Decays(_run.Store.Add(name, Initializer.Ones, trainable: true, 1, 1, 4), ["cls_token", "pos_embed"]), Is.EqualTo(decays));

    [Test]
    public void Updates_follow_the_formula_and_consume_the_gradients()
    {
        const double rate = 0.01, beta1 = 0.9, beta2 = 0.95, eps = 1e-8, decay = 0.05, clip = 2;
        Parameter w = _run.Store.Add("w", Initializer.Ones, trainable: true, 3, 4), b = _run.Store.Add("b", Initializer.Ones, trainable: true, 5);
        _run.Allocate();
        using var optimizer = new AdamW(
            _run.Store, new AdamWSettings(beta1, beta2, eps, decay, clip), p => AdamW.Decays(p, []), _run.Context);
        double[] wants = [.. Numbers(w.Value).Concat(Numbers(b.Value)).Select(v => (double)v)];
        double[] m = new double[wants.Length], v = new double[wants.Length];
        for (var t = 1; t <= 4; t++)
        {
            float[] grads = _run.Numbers(wants.Length);
            _run.Step.Upload<float>(grads.AsSpan(0, 12), w.Grad);
            _run.Step.Upload<float>(grads.AsSpan(12), b.Grad);
            optimizer.Update(rate, _run.Step);

            var norm = GradientCheck.Norm(grads);
            Assert.That(Numbers(optimizer.GradientNorm)[0], Is.EqualTo(norm).Within(1e-5 * norm));
            for (var i = 0; i < wants.Length; i++)
            {
                var g = grads[i] * Math.Min(1, clip / (norm + 1e-6));
                m[i] = (beta1 * m[i]) + ((1 - beta1) * g);
                v[i] = (beta2 * v[i]) + ((1 - beta2) * g * g);
                wants[i] -= rate * (i < 12 ? decay : 0) * wants[i];
                wants[i] -= rate * (m[i] / (1 - Math.Pow(beta1, t))) / (Math.Sqrt(v[i] / (1 - Math.Pow(beta2, t))) + eps);
            }
        }
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Numbers(w.Value).Concat(Numbers(b.Value)), Is.EqualTo(wants).Within(2e-6));
            Assert.That(Numbers(_run.Store.Grads), Has.All.Zero);
            Assert.That(optimizer.Steps, Is.EqualTo(4));
        }
    }

    [Test]
    public void The_rounded_copy_follows_the_values()
    {
        var w = _run.Store.Add("w", Initializer.Ones, trainable: true, 37);
        var b = _run.Store.Add("b", Initializer.Ones, trainable: true, 5);
        _run.Store.Allocate(_run.Context, DType.BF16);
        _run.Store.Initialize(seed: 1, _run.Step);
        TestRun.Move(_run.Store, _run.Step);
        _run.Store.Round(_run.Step);
        using var optimizer = new AdamW(_run.Store, new AdamWSettings(), p => AdamW.Decays(p, []), _run.Context);
        using var step = new Step(_run.Context) { Compute = DType.BF16 };
        step.Reserve(1 << 16);
        for (var t = 0; t < 3; t++)
        {
            foreach (var parameter in new[] { w, b })
            {
                var rounded = step.Empty(DType.BF16, parameter.Count);
                MimNative.Ops.Copy(rounded, parameter.Value, step);
                Assert.That(Widened(parameter.Weight(step)), Is.EqualTo(Widened(rounded)).And.Not.EqualTo(Numbers(parameter.Value)));
            }
            _run.Step.Upload<float>(_run.Numbers(37), w.Grad);
            _run.Step.Upload<float>(_run.Numbers(5), b.Grad);
            optimizer.Update(0.01, _run.Step);
        }

        float[] Widened(Tensor tensor)
        {
            var wide = step.Empty(DType.F32, tensor.Count);
            MimNative.Ops.Copy(wide, tensor, step);
            return step.ToArray<float>(wide);
        }
    }

    [TestCase(float.NaN)]
    [TestCase(float.PositiveInfinity)]
    public void A_gradient_that_is_no_number_changes_no_parameter(float wrong)
    {
        var w = _run.Store.Add("w", Initializer.Ones, trainable: true, 3, 4);
        _run.Allocate();
        using var optimizer = new AdamW(_run.Store, new AdamWSettings(), p => AdamW.Decays(p, []), _run.Context);
        var before = Numbers(w.Value);
        _run.Step.Upload<float>([.. Enumerable.Repeat(1f, 11), wrong], w.Grad);
        optimizer.Update(0.1, _run.Step);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Numbers(w.Value), Is.EqualTo(before));
            Assert.That(Numbers(_run.Store.Moment1).Concat(Numbers(_run.Store.Moment2)), Has.All.Zero);
            Assert.That(float.IsFinite(Numbers(optimizer.GradientNorm)[0]), Is.False);
        }
    }

    private float[] Numbers(Tensor tensor) => _run.Step.ToArray<float>(tensor);
}
