using MimNative.Runtime;
using MimNative.Training;

namespace MimNative.Evaluation.Verification;

/// <summary>A run of several optimiser steps: learning rates, losses, gradient norms, and the parameters at the end.</summary>
internal static class OptimizerCase
{
    private delegate void TrainStep(Tensor loss, Tensor images, int number, Step step, float gradScale);

    public static void CheckMae(RecordedCase recorded, Comparisons compare, Step step)
    {
        var images = recorded.Shape("imgs", 5);       // (iterations, B, C, H, W)
        var noise = recorded.Shape("noise", 3);       // (steps, B, L)
        var perEpoch = recorded.Integer("iters_per_epoch");
        using var store = new ParameterStore();
        var mae = MaeCase.Build(recorded, store, images.AsSpan(1));
        var allNoise = recorded.Floats("noise");
        var count = checked((int)(noise[1] * noise[2]));
        var schedule = new CosineSchedule
        {
            Rate = recorded.Number("lr"),
            MinimumRate = recorded.Number("min_lr"),
            WarmupEpochs = recorded.Number("warmup_epochs"),
            Epochs = recorded.Number("epochs"),
            MicroStepsPerEpoch = perEpoch,
            Accumulation = recorded.Integer("accum_iter"),
        };
        Check(recorded, compare, store, schedule, exempt: [], (int)noise[0], step, (loss, batch, i, s, scale) =>
            mae.TrainStep(
                loss, batch, mae.Masking.FromNoise(s.FromHost<float>(allNoise.AsSpan(i * count, count), noise[1], noise[2]), s), s, scale));
    }

    public static void CheckSimMim(RecordedCase recorded, Comparisons compare, Step step)
    {
        var images = recorded.Shape("imgs", 5);       // (iterations, B, C, H, W)
        var masks = recorded.Shape("patch_mask", 4);  // (steps, B, h, w)
        using var store = new ParameterStore();
        var simMim = SimMimCase.Build(recorded, store, images.AsSpan(1));
        var allMasks = recorded.Ints("patch_mask");
        var count = checked((int)(masks[1] * masks[2] * masks[3]));
        var schedule = TableCases.SimMimSchedule(
            recorded.Text("scheduler"), recorded.Number, recorded.Json("multisteps_epochs"), recorded.Integer("iters_per_epoch"));
        Check(
            recorded, compare, store, schedule, TableCases.SimMimExempt(store.Contains("encoder.cls_token")), (int)masks[0], step,
            (loss, batch, i, s, scale) => simMim.TrainStep(
                loss, batch, SimMimCase.Mask(simMim, allMasks[(i * count)..((i + 1) * count)], s), s, scale));
    }

    private static void Check(
        RecordedCase recorded, Comparisons compare, ParameterStore store, LearningRateSchedule schedule, string[] exempt, int steps,
        Step step, TrainStep train)
    {
        store.Allocate(step.Context);
        recorded.LoadParameters(store, "param_init/", step);
        var betas = recorded.Json("betas");
        var settings = new AdamWSettings(
            betas[0].GetDouble(), betas[1].GetDouble(), recorded.Number("eps"), recorded.Number("weight_decay"),
            recorded.Number("clip_grad", 0));
        using var optimizer = new AdamW(store, settings, p => AdamW.Decays(p, exempt), step.Context);

        var images = recorded.Shape("imgs");
        var allImages = recorded.Floats("imgs");
        var imageCount = allImages.Length / checked((int)images[0]);
        var perEpoch = schedule.MicroStepsPerEpoch;
        float[] losses = new float[steps], rates = new float[steps], gradientNorms = new float[steps];
        for (var i = 0; i < steps; i++)
        {
            step.Begin();
            var loss = step.Empty(DType.F32, 1);
            var first = i % (int)images[0] * imageCount;
            var batch = step.FromHost<float>(allImages.AsSpan(first, imageCount), images.AsSpan(1));
            train(loss, batch, i, step, 1f / schedule.Accumulation);
            losses[i] = step.ToArray<float>(loss)[0];
            var rate = schedule.At(i / perEpoch, i % perEpoch);
            rates[i] = (float)rate;
            gradientNorms[i] = -1;
            if ((i + 1) % schedule.Accumulation == 0)
            {
                optimizer.Update(rate, step);
                gradientNorms[i] = step.ToArray<float>(optimizer.GradientNorm)[0];
            }
        }

        compare.Relative("lr", rates, recorded.Floats("lr"), Tolerance.LearningRate);
        compare.Relative("loss", losses, recorded.Floats("loss"), Tolerance.Loss);
        compare.Relative("grad_norm", gradientNorms, recorded.Floats("grad_norm"), Tolerance.Gradient);
        CompareDecay(recorded, compare, store, exempt, (float)settings.WeightDecay);
        CompareUpdates(recorded, compare, store, step);
    }

    private static void CompareDecay(
        RecordedCase recorded, Comparisons compare, ParameterStore store, string[] exempt, float decay)
    {
        foreach (var name in recorded.Below("weight_decay/"))
        {
            compare.Relative(
                $"weight_decay/{name}", [AdamW.Decays(store[name], exempt) ? decay : 0f], recorded.Floats($"weight_decay/{name}"),
                Tolerance.LearningRate);
        }
    }

    private static void CompareUpdates(RecordedCase recorded, Comparisons compare, ParameterStore store, Step step)
    {
        foreach (var parameter in store.Parameters.Where(p => p.IsTrainable))
        {
            var initial = recorded.Floats($"param_init/{parameter.Name}");
            var want = recorded.Floats($"param_final/{parameter.Name}");
            var got = step.ToArray<float>(parameter.Value);
            for (var i = 0; i < got.Length; i++)
            {
                got[i] -= initial[i];
                want[i] -= initial[i];
            }
            var name = $"param_final/{parameter.Name}";
            if (parameter.Name.EndsWith("qkv.bias", StringComparison.Ordinal))
            {
                // The key bias has no true gradient, and Adam turns its rounding noise into steps: it is left out.
                var third = got.Length / 3;
                got = [.. got[..third], .. got[(2 * third)..]];
                want = [.. want[..third], .. want[(2 * third)..]];
                name += " (without the key third)";
            }
            compare.Norm(name, got, want, Tolerance.Update);
        }
    }
}
