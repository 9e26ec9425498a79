using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Methods;

/// <summary>Blocks that make their activations again in the backward pass: the same numbers from less memory.</summary>
public sealed class RecomputeTests
{
    [TestCaseSource(typeof(MethodTests), nameof(MethodTests.Methods))]
    public void A_step_is_the_same_step(string settings)
    {
        using var kept = new SmallMethod(settings.Split(' '));
        TestRun.Move(kept.Store, kept.Step);
        using var again = new Step(kept.Step.Context) { Recompute = true };
        var planned = again.Plan(step => kept.Pass(step, 0, 4)).Arena;
        var memory = kept.Step.Plan(step => kept.Pass(step, 0, 4)).Arena;

        MimNative.Ops.Fill(kept.Store.Grads, 0, kept.Step);
        var loss = kept.TrainStep(0, 4);
        var gradients = kept.Gradients;
        kept.Step.Begin();
        MimNative.Ops.Fill(kept.Store.Grads, 0, kept.Step);
        var lossAgain = again.ToArray<float>(kept.Pass(again, 0, 4))[0];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(lossAgain, Is.EqualTo(loss));
            Assert.That(GradientCheck.RelativeError(kept.Gradients, gradients), Is.LessThan(1e-6));
            Assert.That(planned, Is.LessThan(memory));
        }
    }

    [Test]
    public void A_step_in_bf16_is_the_same_step()
    {
        var settings = ((string)MethodTests.Methods().First().Arguments[0]!).Split(' ');
        using var kept = new SmallMethod(DType.BF16, settings);
        using var again = new Step(kept.Step.Context) { Compute = DType.BF16, Recompute = true };
        again.Plan(step => kept.Pass(step, 0, 4));
        var loss = kept.TrainStep(0, 4);
        var gradients = kept.Gradients;
        kept.Step.Begin();
        MimNative.Ops.Fill(kept.Store.Grads, 0, kept.Step);
        Assert.That(again.ToArray<float>(kept.Pass(again, 0, 4))[0], Is.EqualTo(loss));
        Assert.That(GradientCheck.RelativeError(kept.Gradients, gradients), Is.LessThan(1e-3));
    }
}
