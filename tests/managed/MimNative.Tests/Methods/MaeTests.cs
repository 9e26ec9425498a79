using MimNative.Methods;
using MimNative.Nn;
using MimNative.Runtime;
using MimNative.Targets;
using NUnit.Framework;

namespace MimNative.Tests.Methods;

/// <summary>The numbers of a whole step against recorded ones are in VerifierTests.</summary>
public sealed class MaeTests
{
    private static readonly PatchGrid Square = new(16, 16, 3, 4);

    private static IEnumerable<TestCaseData> Shapes() => new (string Name, PatchGrid Grid)[]
    {
        ("square", Square), ("taller than wide", new(20, 12, 3, 4)), ("wider than tall", new(8, 24, 3, 4)),
        ("one channel", new(16, 16, 1, 4)), ("four channels", new(12, 16, 4, 4)), ("large patches", new(32, 16, 2, 8)),
    }.Select(s => new TestCaseData(s.Grid).SetArgDisplayNames(s.Name));

    [TestCaseSource(nameof(Shapes))]
    public void Gradients_match_directional_derivatives_of_the_loss(PatchGrid grid) => CheckGradients(new SmallMae(grid));

    [Test]
    public void Gradients_match_for_every_target_and_loss([Values] bool normalized, [Values(LossKind.L2, LossKind.SmoothL1)] LossKind loss) =>
        CheckGradients(new SmallMae(Square, normalized ? new NormalizedPixels() : new RawPixels(), loss));

    [TestCaseSource(nameof(Shapes))]
    public void The_loss_falls_on_eight_images(PatchGrid grid)
    {
        using var model = new SmallMae(grid);
        var losses = Train(model, steps: 30);
        Assert.That(losses[^1], Is.LessThan(0.75 * losses[0]), string.Join(" ", losses));
    }

    [Test]
    public void Two_identical_runs_give_identical_bits()
    {
        (float[] Losses, float[] Values) Run()
        {
            using var model = new SmallMae(threads: 2);
            return (Train(model, steps: 5), model.Step.ToArray<float>(model.Store.Values));
        }
        var (losses, values) = Run();
        var again = Run();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(again.Losses, Is.EqualTo(losses));
            Assert.That(again.Values, Is.EqualTo(values));
        }
    }

    [Test]
    public void Two_accumulated_batches_give_the_gradients_of_one_of_double_size()
    {
        using SmallMae whole = new(), halves = new();
        var loss = whole.TrainStep(0, 8);
        float[] losses = [halves.TrainStep(0, 4, gradScale: 0.5f), halves.TrainStep(4, 4, gradScale: 0.5f)];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(losses.Average(), Is.EqualTo(loss).Within(1e-6 * loss));
            Assert.That(GradientCheck.RelativeError(Gradients(halves), Gradients(whole)), Is.LessThan(1e-6));
        }
    }

    [Test]
    public void The_gradient_scale_multiplies_gradients_and_not_the_loss()
    {
        using SmallMae plain = new(), scaled = new();
        float loss = plain.TrainStep(0, 4), same = scaled.TrainStep(0, 4, gradScale: 3);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(same, Is.EqualTo(loss));
            Assert.That(GradientCheck.RelativeError(Gradients(scaled), [.. Gradients(plain).Select(g => 3 * g)]), Is.LessThan(1e-6));
        }
    }

    [Test]
    public void The_loss_of_removed_patches_alone_is_that_of_all_patches_masked()
    {
        using var model = new SmallMae();
        var loss = model.TrainStep(0, 4);
        model.Step.Begin();
        var (images, mask) = model.Inputs(model.Step, 0, 4);
        var seen = model.Mae.Reconstruct(images, mask, model.Step, out var latent, out var lossPerPatch);
        var removed = model.Step.ToArray<float>(lossPerPatch).Zip(model.Step.ToArray<float>(mask.Mask), (e, m) => e * m);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(model.Step.ToArray<float>(seen.Loss)[0], Is.EqualTo(loss).Within(1e-6 * loss));
            Assert.That(removed.Sum() / (4 * mask.IdsMasked[1]), Is.EqualTo(loss).Within(1e-5 * loss));
            Assert.That(latent.Shape, Is.EqualTo(new long[] { 4, 5, 16 }));
            Assert.That(seen.Pred.Shape, Is.EqualTo(new long[] { 4, 16, 48 }));
        }
    }

    [Test]
    public void What_was_removed_reaches_the_prediction_by_no_way()
    {
        using var model = new SmallMae();
        var step = model.Step;
        float[] Predict(bool changed)
        {
            step.Begin();
            var (images, mask) = model.Inputs(step, 0, 1);
            var removed = step.ToArray<float>(mask.Mask);
            var pixels = images.Span<float>();
            for (var i = 0; i < pixels.Length; i++)
            {
                var patch = (i / 16 % 16 / 4 * 4) + (i % 16 / 4);
                pixels[i] += changed && removed[patch] > 0 ? 100 : 0;
            }
            return step.ToArray<float>(model.Mae.Reconstruct(images, mask, step, out _, out _).Pred);
        }
        Assert.That(Predict(changed: true), Is.EqualTo(Predict(changed: false)));
    }

    [Test]
    public void The_plan_of_a_step_is_what_the_step_then_takes()
    {
        using var model = new SmallMae();
        using var planned = new Step(model.Step.Context);
        var (arena, _) = planned.Plan(step => model.Pass(step, 0, 8));
        model.TrainStep(0, 8);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(arena, Is.EqualTo(model.Step.Peak));
            Assert.That(() => model.Pass(planned, 0, 8), Throws.Nothing);
            Assert.That(planned.Peak, Is.EqualTo(arena));
        }
        planned.Begin();
        Assert.That(() => model.Pass(planned, 0, 9), Throws.InvalidOperationException.With.Message.Contains("plan it"));
    }

    [Test]
    public void A_planned_step_changes_no_gradient()
    {
        using var model = new SmallMae();
        model.Step.Plan(step => model.Pass(step, 0, 2));
        Assert.That(Gradients(model), Has.All.Zero);
    }

    [Test]
    public void The_encoder_is_what_remains()
    {
        using var model = new SmallMae();
        var decoder = model.Store.Parameters.Select(p => p.Name).Where(n => model.Mae.EncoderName(n) is null).ToArray();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(decoder, Has.All.Matches<string>(n => n == "mask_token" || n.StartsWith("decoder_", StringComparison.Ordinal)));
            Assert.That(decoder, Has.Length.EqualTo(2 + 2 + 12 + 2 + 2));
            Assert.That(new[] { "cls_token", "pos_embed", "norm.bias" }.Select(model.Mae.EncoderName), Is.EqualTo(new[] { "cls_token", "pos_embed", "norm.bias" }));
        }
    }

    private static float[] Train(SmallMae model, int steps)
    {
        var losses = new float[steps];
        for (var i = 0; i < steps; i++)
        {
            losses[i] = model.TrainStep(0, 8);
            model.Update(rate: 5e-3);
        }
        return losses;
    }

    private static float[] Gradients(SmallMae model) => model.Step.ToArray<float>(model.Store.Grads);

    private static void CheckGradients(SmallMae small)
    {
        using var model = small;
        TestRun.Move(model.Store, model.Step);  // the class token begins so small that the loss bends within one step
        model.TrainStep(0, 2);
        var step = model.Step;
        GradientCheck.Variable[] variables = [.. GradientCheck.Parameters(model.Store, step)];
        double Loss()
        {
            step.Begin();
            var (images, mask) = model.Inputs(step, 0, 2);
            return step.ToArray<float>(model.Mae.Reconstruct(images, mask, step, out _, out _).Loss)[0];
        }
        // A whole model bends more than a layer, and its loss is one number of 24 bits.
        GradientCheck.Check(new Random(17), variables, Loss, rounding: 5e-7, h: 1.0 / 256);
    }
}
