using MimNative.Interop;
using MimNative.Runtime;
using NUnit.Framework;

namespace MimNative.Tests;

/// <summary>A wrong argument is named in the error, together with the function that was called.</summary>
public sealed class OpsErrorTests
{
    private static readonly MaskedLossSettings Loss = new(LossKind.L2, Patch: 2, PatchOrder.PixelsFirst, Normalize: false);

    private static IEnumerable<TestCaseData> WrongArguments()
    {
        TestCaseData Case(string function, string argument, Action<TestRun, Step> call) =>
            new TestCaseData(function, argument, call).SetArgDisplayNames(function, argument);

        yield return Case("mim_linear_forward", "x", (r, s) => Ops.Linear(r.Random(4, 7), r.Random(3, 8), Tensor.None, s));
        yield return Case("mim_linear_forward", "bias", (r, s) => Ops.Linear(r.Random(4, 8), r.Random(3, 8), r.Random(4), s));
        yield return Case("mim_linear_backward", "dw", (r, s) => Ops.LinearBackward(
            r.Random(4, 3), r.Random(4, 8), r.Random(3, 8), r.Random(8, 3), Tensor.None, s));
        yield return Case("mim_mlp_forward", "w2", (r, s) => Ops.Mlp(
            r.Random(4, 3), r.Random(4, 8), r.Random(6, 8), Tensor.None, r.Random(3, 5), Tensor.None, s));
        yield return Case("mim_mlp_backward", "pre", (r, s) => Ops.MlpBackward(
            r.Random(4, 3), r.Random(4, 8), r.Random(4, 5), r.Random(6, 8), r.Random(3, 6), r.Random(6, 8), Tensor.None, r.Random(3, 6),
            Tensor.None, s));
        yield return Case("mim_layer_norm_again", "mean", (r, s) => Ops.LayerNormAgain(
            r.Random(4, 8), r.Random(5), r.Random(4), r.Random(8), r.Random(8), s));
        yield return Case("mim_layer_norm_forward", "gamma", (r, s) => Ops.LayerNorm(
            r.Random(4, 8), Tensor.None, r.Random(7), r.Random(8), 1e-6f, s, out _, out _, out _));
        yield return Case("mim_layer_norm_forward", "beta", (r, s) => Ops.LayerNorm(
            r.Random(4, 8), Tensor.None, r.Random(8), r.Random(1, 8), 1e-6f, s, out _, out _, out _));
        yield return Case("mim_layer_norm_forward", "branch", (r, s) => Ops.LayerNorm(
            r.Random(4, 8), r.Random(3, 8), r.Random(8), r.Random(8), 1e-6f, s, out _, out _, out _));
        yield return Case("mim_layer_norm_forward", "params.eps", (r, s) => Ops.LayerNorm(
            r.Random(4, 8), Tensor.None, r.Random(8), r.Random(8), 0, s, out _, out _, out _));
        yield return Case("mim_layer_norm_backward", "rstd", (r, s) => Ops.LayerNormBackward(
            r.Random(4, 8), Tensor.None, r.Random(4, 8), r.Random(4), r.Random(5), r.Random(8), r.Random(8), r.Random(8), s));
        yield return Case("mim_gelu_backward", "dy", (r, s) => Ops.GeluBackward(r.Random(5), r.Random(6), s));
        yield return Case("mim_attention_forward", "k", (r, s) => Ops.Attention(
            r.Random(1, 3, 2, 4), r.Random(1, 3, 2, 5), r.Random(1, 3, 2, 4), default, 1, s, out _));
        yield return Case("mim_attention_forward", "bias", (r, s) => Ops.Attention(
            r.Random(1, 3, 2, 4), r.Random(1, 3, 2, 4), r.Random(1, 3, 2, 4), new() { Bias = r.Random(2, 3, 4) }, 1, s, out _));
        yield return Case("mim_attention_forward", "params.scale", (r, s) => Ops.Attention(
            r.Random(1, 3, 2, 4), r.Random(1, 3, 2, 4), r.Random(1, 3, 2, 4), default, float.NaN, s, out _));
        yield return Case("mim_attention_forward", "windows", (r, s) => Ops.Attention(
            r.Random(1, 4, 2, 4), r.Random(1, 4, 2, 4), r.Random(1, 4, 2, 4),
            new() { Windows = s.FromHost<int>([0, 1, 1, 3], 2, 2) }, 1, s, out _));
        yield return Case("mim_attention_forward", "mask", (r, s) => Ops.Attention(
            r.Random(1, 4, 2, 4), r.Random(1, 4, 2, 4), r.Random(1, 4, 2, 4),
            new() { Windows = s.FromHost<int>([0, 1, 2, 3], 2, 2), Mask = r.Random(1, 2, 2) }, 1, s, out _));
        yield return Case("mim_attention_forward", "table", (r, s) => Ops.Attention(
            r.Random(1, 2, 2, 4), r.Random(1, 2, 2, 4), r.Random(1, 2, 2, 4),
            new() { Table = r.Random(3, 5), Buckets = s.FromHost<int>([0, 1, 2, 3], 2, 2) }, 1, s, out _));
        yield return Case("mim_attention_forward", "buckets", (r, s) => Ops.Attention(
            r.Random(1, 2, 2, 4), r.Random(1, 2, 2, 4), r.Random(1, 2, 2, 4),
            new() { Table = r.Random(4, 3), Buckets = s.FromHost<int>([0, 1, 2, 3], 2, 2) }, 1, s, out _));
        yield return Case("mim_attention_backward", "dtable", (r, s) => Ops.AttentionBackward(
            r.Random(1, 2, 2, 4), r.Random(1, 2, 2, 4), r.Random(1, 2, 2, 4), Tensor.None, r.Random(4, 3), r.Random(1, 2, 2, 4),
            r.Random(1, 2, 2, 4), r.Random(1, 2, 2, 4), r.Random(1, 2, 2, 4), default, r.Random(1, 2, 2, 4), r.Random(1, 2, 2), 1, s));
        yield return Case("mim_layer_scale_forward", "sample_scale", (r, s) => Ops.LayerScale(
            r.Random(4, 3), r.Random(4, 3), r.Random(3), r.Random(3), s));
        yield return Case("mim_layer_scale_backward", "dgamma", (r, s) => Ops.LayerScaleBackward(
            r.Random(4, 3), r.Random(4, 3), r.Random(3), Tensor.None, r.Random(4), s));
        yield return Case("mim_relative_position_bias_forward", "index", (r, s) => Ops.RelativePositionBias(
            r.Random(3, 2), s.FromHost<int>([0, 3], 1, 2), s));
        yield return Case("mim_relative_position_bias_backward", "dbias", (r, s) => Ops.RelativePositionBiasBackward(
            r.Random(1, 1, 2), s.FromHost<int>([0, 2], 1, 2), r.Random(3, 2), s));
        yield return Case("mim_patchify_forward", "params.patch_width", (r, s) => Ops.Patchify(
            r.Random(1, 1, 4, 6), Tensor.None, 4, PatchOrder.PixelsFirst, DType.F32, s));
        yield return Case("mim_patchify_forward", "ids", (r, s) => Ops.Patchify(
            r.Random(1, 1, 4, 4), s.FromHost<int>([4], 1, 1), 2, PatchOrder.PixelsFirst, DType.F32, s));
        yield return Case("mim_gather_tokens_forward", "ids", (r, s) => Ops.GatherTokens(
            r.Random(1, 3, 4), s.FromHost<int>([0, -1], 1, 2), first: 0, s));
        yield return Case("mim_gather_tokens_forward", "params.first", (r, s) => Ops.GatherTokens(
            r.Random(1, 3, 4), s.FromHost<int>([0], 1, 1), first: -1, s));
        yield return Case("mim_embed_tokens_forward", "cls", (r, s) => Ops.EmbedTokens(
            r.Random(1, 3, 4), r.Random(5), Tensor.None, Tensor.None, Tensor.None, Tensor.None, s));
        yield return Case("mim_embed_tokens_forward", "position", (r, s) => Ops.EmbedTokens(
            r.Random(1, 3, 4), r.Random(4), r.Random(3, 4), Tensor.None, Tensor.None, Tensor.None, s));
        yield return Case("mim_embed_tokens_forward", "mask_token", (r, s) => Ops.EmbedTokens(
            r.Random(1, 3, 4), r.Random(4), Tensor.None, Tensor.None, r.Random(1, 3), Tensor.None, s));
        yield return Case("mim_embed_tokens_backward", "mask", (r, s) => Ops.EmbedTokensBackward(
            r.Random(1, 3, 4), Tensor.None, Tensor.None, r.Random(4), Tensor.None, r.Random(1, 4), classToken: false, s));
        yield return Case("mim_restore_tokens_forward", "mask_token", (r, s) => Ops.RestoreTokens(
            r.Random(1, 2, 4), r.Random(5), Tensor.None, s.FromHost<int>([0, 1, 2], 1, 3), classToken: false, s));
        yield return Case("mim_restore_tokens_forward", "ids_restore", (r, s) => Ops.RestoreTokens(
            r.Random(1, 2, 4), r.Random(4), Tensor.None, s.FromHost<int>([0, 1, 1], 1, 3), classToken: false, s));
        yield return Case("mim_mask_from_noise", "noise", (r, s) => Ops.MaskFromNoise(
            s.FromHost<float>([0.5f, float.NaN, 0], 1, 3), 1, s));
        yield return Case("mim_masked_loss", "pred", (r, s) => MaskedLoss(r, s, pred: r.Random(1, 2, 5), mask: r.Random(1, 2)));
        yield return Case("mim_masked_loss", "mask", (r, s) => MaskedLoss(r, s, pred: r.Random(1, 2, 4), mask: r.Random(1, 3)));
        yield return Case("mim_masked_loss", "mask", (r, s) => MaskedLoss(r, s, pred: r.Random(1, 2, 4), mask: r.Random(1, 2, 3)));
        yield return Case("mim_cross_entropy", "labels", (r, s) => Ops.CrossEntropy(
            r.Random(1), Tensor.None, Tensor.None, r.Random(3, 4), s.FromHost<int>([0, 1], 2), 0, 1, s));
        yield return Case("mim_cross_entropy", "targets", (r, s) => Ops.SoftCrossEntropy(
            r.Random(1), Tensor.None, Tensor.None, r.Random(3, 4), r.Random(3, 5), 0, 1, s));
        yield return Case("mim_cross_entropy", "params.smoothing", (r, s) => Ops.CrossEntropy(
            r.Random(1), Tensor.None, Tensor.None, r.Random(3, 4), s.FromHost<int>([0, 1, 2], 3), 1.5f, 1, s));
        yield return Case("mim_batch_norm_forward", "running_var", (r, s) => Ops.BatchNorm(
            r.Random(4, 3), Tensor.None, Tensor.None, r.Random(3), r.Random(4), new(Training: true, 1e-6f), s, out _, out _));
        yield return Case("mim_batch_norm_forward", "params.training", (r, s) => Ops.BatchNorm(
            r.Random(4, 3), Tensor.None, Tensor.None, Tensor.None, Tensor.None, new(Training: false, 1e-6f), s, out _, out _));
        yield return Case("mim_batch_norm_backward", "dgamma", (r, s) => Ops.BatchNormBackward(
            r.Random(4, 3), r.Random(4, 3), r.Random(3), r.Random(3), Tensor.None, r.Random(4), Tensor.None, new(Training: true, 1e-6f), s));
        yield return Case("mim_low_pass", "mean", (r, s) => Ops.LowPass(
            r.Random(1, 3, 4, 6), r.Random(4), r.Random(3), 2, LowPassMode.Exact, s));
        yield return Case("mim_low_pass", "params.radius", (r, s) => Ops.LowPass(
            r.Random(1, 3, 4, 6), r.Random(3), r.Random(3), -1, LowPassMode.Symmetric, s));
        yield return Case("mim_reduce_images", "params.factor", (r, s) => Ops.ReduceImages(r.Random(1, 1, 4, 6), 4, s));
        yield return Case("mim_depthwise_conv_forward", "keep", (r, s) => Ops.DepthwiseConv(
            r.Random(1, 3, 4, 2), r.Random(2, 3, 3), Tensor.None, r.Random(1, 4, 3), s));
        yield return Case("mim_depthwise_conv_backward", "dbias", (r, s) => Ops.DepthwiseConvBackward(
            r.Random(1, 3, 4, 2), r.Random(1, 3, 4, 2), r.Random(2, 3, 3), Tensor.None, Tensor.None, r.Random(3), s));
        yield return Case("mim_random_uniform", "samples", (r, s) => Ops.RandomUniform(
            s.FromHost<long>([-1], 1), 4, RandomStream.Mask, 0, 0, s));
        yield return Case("mim_random_uniform", "params.epoch", (r, s) => Ops.RandomUniform(
            s.FromHost<long>([1], 1), 4, RandomStream.Mask, -1, 0, s));
        yield return Case("mim_gradient_norm", "norm", (r, s) => Ops.GradientNorm(r.Random(2), r.Random(8), s));
        yield return Case("mim_adamw_step", "v", (r, s) => Ops.AdamWStep(
            r.Random(8), r.Random(8), r.Random(7), Tensor.None, r.Random(8), r.Random(1), r.Random(3), [new(0, 8, 0, 1)], 0.9f, 0.95f, 1e-8f, 0, s));
        yield return Case("mim_adamw_step", "segments", (r, s) => Ops.AdamWStep(
            r.Random(8), r.Random(8), r.Random(8), Tensor.None, r.Random(8), r.Random(1), r.Random(3), [new(4, 5, 0, 1)], 0.9f, 0.95f, 1e-8f, 0, s));
        yield return Case("mim_copy", "src", (r, s) => Ops.Copy(r.Random(2, 3), r.Random(3, 2), s));
        yield return Case("mim_fill", "y", (r, s) => Ops.Fill(s.Empty(DType.I32, 3), 1, s));
    }

    [TestCaseSource(nameof(WrongArguments))]
    public void A_wrong_argument_is_named(string function, string argument, object call)
    {
        using var run = TestRun.On(Device.Cpu);
        var error = Assert.Throws<MimException>(() => ((Action<TestRun, Step>)call)(run, run.Step))!;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(error.Message, Does.StartWith(function + ": "));
            Assert.That(error.Message, Does.Match($@"(^|[^\w.]){argument.Replace(".", @"\.", StringComparison.Ordinal)}\b"));
        }
    }

    private static void MaskedLoss(TestRun run, Step step, Tensor pred, Tensor mask) => Ops.MaskedLoss(
        step.Empty(DType.F32, 1), Tensor.None, step.EmptyLike(pred), Tensor.None, pred, run.Random(1, 1, 2, 4), mask, Tensor.None,
        Loss, 1, step);
}
