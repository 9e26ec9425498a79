using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests.Methods;

/// <summary>What is true of every method, encoder, mask, head, target and loss; the numbers of whole steps are in VerifierTests.</summary>
public sealed class MethodTests
{
    private const string Vit =
        "image.height=16 image.width=24 encoder.patch=4 encoder.dim=12 encoder.depth=2 encoder.heads=3 encoder.mlp_ratio=2";

    private const string Mae = "method=mae decoder.dim=8 decoder.depth=1 decoder.heads=2 decoder.mlp_ratio=2 " + Vit;

    private const string ConvMae =
        "method=mae encoder.kind=conv_vit image.height=16 image.width=24 encoder.patch=8 encoder.dims=[4,6,8] encoder.depths=[1,2,1] " +
        "encoder.heads=2 encoder.mlp_ratio=2 mask.ratio=0.5 decoder.dim=8 decoder.depth=1 decoder.heads=2 decoder.mlp_ratio=2";

    private const string Lsmae = Mae + " mask.downsampling=2";
    private const string SimMimVit = "method=simmim mask.patch=8 loss.kind=l2 encoder.drop_path=0 " + Vit;

    private const string SimMimSwin =
        "method=simmim encoder.kind=swin image.height=16 image.width=32 encoder.patch=2 encoder.dim=6 encoder.depths=[2,1] " +
        "encoder.stage_heads=[2,3] encoder.window=4 encoder.mlp_ratio=2 mask.patch=4 loss.kind=l2";

    private const string LoMaR = "method=lomar mask.window=3 mask.windows=2 mask.ratio=0.7 " + Vit;

    private static readonly (string Name, string Settings)[] Every =
    [
        ("mae", Mae),
        ("mae, low-pass target", Mae + " target.low_pass=3"),
        ("mae, symmetric low-pass target, raw", Mae + " target.low_pass=3 target.low_pass_mode=symmetric target.kind=raw_pixels"),
        ("mae, target of half the resolution", Mae + " target.reduction=2"),
        ("mae, drop path", Mae + " encoder.drop_path=0.4"),
        ("mae, learned positions", Mae + " encoder.position=learned"),
        ("convmae", ConvMae),
        ("convmae, learned positions, low-pass target, raw",
            ConvMae + " encoder.position=learned target.low_pass=3 target.kind=raw_pixels"),
        ("convmae, no positions, no key bias", ConvMae + " encoder.position=none encoder.key_bias=false"),
        ("convmae, joint masks, fewer tokens in the decoder",
            ConvMae + " image.height=32 image.width=32 mask.downsampling=2 decoder.downsampling=2"),
        ("lsmae", Lsmae),
        ("lsmae, no key bias", Lsmae + " encoder.key_bias=false"),
        ("lsmae, units that do not divide the grid", Mae + " mask.downsampling=3"),
        ("lsmae, fewer tokens in the decoder", Lsmae + " decoder.downsampling=2"),
        ("lsmae, larger predictions", Lsmae + " decoder.downsampling=2 decoder.prediction_downsampling=2 mask.ratio=0.7"),
        ("lsmae, larger predictions of a low-pass target at half the resolution",
            Lsmae + " decoder.downsampling=2 decoder.prediction_downsampling=2 target.low_pass=3 target.reduction=2"),
        ("simmim vit", SimMimVit),
        ("simmim vit, drop path", SimMimVit + " encoder.drop_path=0.2"),
        ("simmim vit, tables of their own", SimMimVit + " encoder.relative_position=bias encoder.position=learned"),
        ("simmim vit, sine-cosine positions, key bias, no scale",
            SimMimVit + " encoder.relative_position=none encoder.position=sin_cos encoder.key_bias=true encoder.layer_scale=0"),
        ("simmim vit, contextual positions", SimMimVit + " encoder.relative_position=contextual"),
        ("simmim vit, all pixels", SimMimVit + " loss.pixels=all"),
        ("simmim vit, square mask", SimMimVit + " mask.kind=square"),
        ("simmim vit, block-wise mask", SimMimVit + " mask.kind=block mask.patch=4"),
        ("simmim vit, two-layer head", SimMimVit + " decoder.kind=mlp"),
        ("simmim vit, inverse swin head", SimMimVit + " decoder.kind=inverse_swin decoder.depths=[1,2] decoder.heads=2 decoder.window=2"),
        ("simmim vit, smooth l1 of a quarter of the resolution", SimMimVit + " target.reduction=4 loss.kind=smooth_l1"),
        ("simmim vit, low-pass target, normalised", SimMimVit + " target.low_pass=3 target.kind=normalized_pixels"),
        ("simmim swin", SimMimSwin),
        ("simmim swin, learned positions", SimMimSwin + " encoder.position=learned"),
        ("simmim swin, scaled branches", SimMimSwin + " encoder.layer_scale=0.2 encoder.drop_path=0.2 encoder.key_bias=false"),
        ("simmim swin, no relative positions", SimMimSwin + " encoder.relative_position=none"),
        ("simmim swin, one stage", SimMimSwin + " encoder.depths=[3] encoder.stage_heads=[2] encoder.position=learned"),
        ("simmim swin, window clamped", SimMimSwin + " image.width=16 encoder.window=8 encoder.depths=[2,2]"),
        ("simmim swin, mask patches finer than predictions", SimMimSwin + " mask.patch=2"),
        ("simmim swin, inverse swin head", SimMimSwin + " decoder.kind=inverse_swin decoder.depths=[1,2] decoder.heads=4 decoder.window=4"),
        ("simmim swin, target of a quarter of the resolution", SimMimSwin + " target.reduction=4"),
        ("lomar", LoMaR),
        ("lomar, windows of each image", LoMaR + " mask.shared_windows=false"),
        ("lomar, zeros, two-layer head", LoMaR + " mask.token=zeros decoder.kind=mlp"),
        ("lomar, drop path", LoMaR + " encoder.drop_path=0.4"),
        ("lomar, low-pass target", LoMaR + " target.low_pass=3"),
        ("lomar, biases", LoMaR + " encoder.relative_position=bias"),
        ("lomar, window of the whole grid", LoMaR + " mask.window=4"),
    ];

    /// <summary>The settings of each, separated by blanks.</summary>
    internal static IEnumerable<TestCaseData> Methods() => Every.Select(e => new TestCaseData(e.Settings).SetArgDisplayNames(e.Name));

    [TestCaseSource(nameof(Methods))]
    public void Gradients_match_directional_derivatives_of_the_loss(string settings)
    {
        using var model = new SmallMethod(settings.Split(' '));
        TestRun.Move(model.Store, model.Step);
        MimNative.Ops.Fill(model.Store.Grads, 0, model.Step);
        model.TrainStep(0, 2);
        GradientCheck.Variable[] variables = [.. GradientCheck.Parameters(model.Store, model.Step)];
        Assert.That(variables.Where(v => v.Gradient.All(g => g == 0)).Select(v => v.Name), Is.Empty, "gradients that are all zero");
        // One direction a parameter: the layers have two of their own in their tests.
        GradientCheck.Check(new Random(17), variables, () => model.TrainStep(0, 2), rounding: 1e-6, h: 1.0 / 256, directions: 1);
    }

    // Once for each method and encoder: what else differs is in the gradients, which are checked for all.
    [TestCase(Mae)]
    [TestCase(ConvMae)]
    [TestCase(Lsmae)]
    [TestCase(SimMimVit)]
    [TestCase(SimMimSwin)]
    [TestCase(LoMaR)]
    public void The_loss_falls_on_eight_images(string settings)
    {
        using var model = new SmallMethod(settings.Split(' '));
        var losses = model.Train(steps: 100, rate: 1e-2);
        Assert.That(losses.TakeLast(5).Average(), Is.LessThan(0.85 * losses[0]), string.Join(" ", losses));
    }

    [TestCaseSource(nameof(Methods))]
    public void Two_identical_runs_give_identical_bits(string settings)
    {
        (float[] Losses, float[] Values) Run()
        {
            using var model = new SmallMethod(DType.F32, settings.Split(' '), threads: 2);
            return (model.Train(steps: 3), model.Step.ToArray<float>(model.Store.Values));
        }
        var (losses, values) = Run();
        var again = Run();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(again.Losses, Is.EqualTo(losses));
            Assert.That(again.Values, Is.EqualTo(values));
        }
    }

    [TestCaseSource(nameof(Methods))]
    public void The_plan_of_a_step_is_what_the_step_then_takes(string settings)
    {
        using var model = new SmallMethod(settings.Split(' '));
        using var planned = new Step(model.Step.Context);
        var (arena, _) = planned.Plan(step => model.Pass(step, 0, 4));
        for (var epoch = 0; epoch < 3; epoch++)
        {
            planned.Begin();
            model.Pass(planned, 0, 4, epoch: epoch);
        }
        Assert.That(planned.Peak, Is.EqualTo(arena));
    }

    [TestCaseSource(nameof(Methods))]
    public void A_picture_is_completed_from_what_is_seen(string settings)
    {
        using var model = new SmallMethod(settings.Split(' '));
        var (step, method) = (model.Step, model.Method);
        var hidden = method.SampleHidden(SmallMethod.Key(0, 1));
        (float[] Pred, float Loss) Predict(bool changed)
        {
            step.Begin();
            var image = model.Images(step, 0, 1);
            var pixels = image.Span<float>();
            for (var i = 0; i < pixels.Length; i++)
            {
                int row = i / method.Grid.Width % method.Grid.Height, column = i % method.Grid.Width;
                var patch = (row / method.Grid.Patch * method.Grid.Columns) + (column / method.Grid.Patch);
                pixels[i] += changed && hidden[patch] ? 100 : 0;
            }
            var result = method.Reconstruct(image, hidden, step);
            Assert.That(result.Pred.Shape, Is.EqualTo(new long[] { 1, method.Prediction.Grid.Count, method.Prediction.PatchSize }));
            return (step.ToArray<float>(result.Pred), step.ToArray<float>(result.Loss)[0]);
        }
        var (pred, loss) = Predict(changed: false);
        var other = Predict(changed: true);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(hidden.Count(h => h), Is.GreaterThan(0).And.LessThan(hidden.Length));
            Assert.That(other.Pred, Is.EqualTo(pred), "what was hidden reaches no prediction");
            Assert.That(float.IsFinite(loss) && loss > 0);
            Assert.That(method.Prediction.Normalized || other.Loss > loss, "the loss sees what was hidden");
        }
    }

    [TestCaseSource(nameof(Methods))]
    public void Masks_depend_on_seed_epoch_and_sample_alone(string settings)
    {
        using SmallMethod model = new(settings.Split(' ')), other = new(settings.Split(' '));
        // The same sample alone and in a batch, after other draws: the losses of accumulated parts say so.
        var first = model.TrainStep(0, 4);
        model.TrainStep(4, 2);
        other.TrainStep(0, 2, epoch: 3);
        Assert.That(other.TrainStep(0, 4), Is.EqualTo(first));
        Assert.That(
            Enumerable.Range(1, 6).Select(epoch => other.TrainStep(0, 4, epoch: epoch)), Has.Some.Not.EqualTo(first));
    }

    [TestCaseSource(nameof(Methods))]
    public void The_encoder_is_what_remains(string settings)
    {
        using var model = new SmallMethod(settings.Split(' '));
        var names = model.Store.Parameters.Select(p => model.Method.EncoderName(p.Name)).Where(n => n is not null).ToArray();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(names, Is.Unique);
            Assert.That(names, Has.Some.Match(@"^patch_embed1?\.proj\.weight$").And.Some.EqualTo("norm.weight"));
            Assert.That(names, Has.None.Contains("decoder").And.None.Contains("mask_token").And.None.StartsWith("encoder"));
        }
    }

    [TestCase(Mae)]
    [TestCase(SimMimVit)]
    [TestCase(SimMimSwin)]
    [TestCase(LoMaR)]
    public void Accumulated_batches_add_their_gradients(string settings)
    {
        using SmallMethod sum = new(settings.Split(' ')), first = new(settings.Split(' ')), second = new(settings.Split(' '));
        sum.TrainStep(0, 4, gradScale: 0.5f);
        sum.TrainStep(4, 4, gradScale: 0.5f);
        first.TrainStep(0, 4);
        second.TrainStep(4, 4);
        float[] want = [.. first.Gradients.Zip(second.Gradients, (a, b) => 0.5f * (a + b))];
        Assert.That(GradientCheck.RelativeError(sum.Gradients, want), Is.LessThan(1e-6));
    }
}
