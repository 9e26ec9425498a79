using MimNative.Runtime;
using MimNative.Training;

namespace MimNative.Evaluation.Verification;

/// <summary>A run of several optimiser steps: learning rates, losses, gradient norms, and the parameters at the end.</summary>
internal static class MaeOptimizerCase
{
    public static void Check(RecordedCase recorded, Comparisons compare, Step step)
    {
        var images = recorded.Shape("imgs", 5);       // (iterations, B, C, H, W)
        var noise = recorded.Shape("noise", 3);       // (steps, B, L)
        using var store = new ParameterStore();
        var mae = MaeCase.Build(recorded, store, images.AsSpan(1));
        store.Allocate(step.Context);
        recorded.LoadParameters(store, "param_init/", step);

        var betas = recorded.Json("betas");
        var settings = new AdamWSettings(
            betas[0].GetDouble(), betas[1].GetDouble(), recorded.Number("eps"), recorded.Number("weight_decay"));
        using var optimizer = new AdamW(store, settings, AdamW.DecaysMatrices, step.Context);
        var accumulation = recorded.Integer("accum_iter");
        var perEpoch = recorded.Integer("iters_per_epoch");
        var schedule = new LearningRateSchedule
        {
            Rate = recorded.Number("lr"),
            MinimumRate = recorded.Number("min_lr"),
            WarmupEpochs = recorded.Number("warmup_epochs"),
            Epochs = recorded.Number("epochs"),
            MicroStepsPerEpoch = perEpoch,
            Accumulation = accumulation,
        };

        var allImages = recorded.Floats("imgs");
        var allNoise = recorded.Floats("noise");
        var imageCount = checked((int)(images[1] * images[2] * images[3] * images[4]));
        var noiseCount = checked((int)(noise[1] * noise[2]));
        var steps = (int)noise[0];
        float[] losses = new float[steps], rates = new float[steps], gradientNorms = new float[steps];
        for (var i = 0; i < steps; i++)
        {
            step.Begin();
            var loss = step.Empty(DType.F32, 1);
            var batch = step.FromHost<float>(
                allImages.AsSpan(i % perEpoch * imageCount, imageCount), images.AsSpan(1));
            var mask = mae.MaskFromNoise(
                step.FromHost<float>(allNoise.AsSpan(i * noiseCount, noiseCount), noise[1], noise[2]), step);
            mae.TrainStep(loss, batch, mask, step, gradScale: 1f / accumulation);
            losses[i] = step.ToArray<float>(loss)[0];
            var rate = schedule.At(i / perEpoch, i % perEpoch);
            rates[i] = (float)rate;
            gradientNorms[i] = -1;
            if ((i + 1) % accumulation == 0)
            {
                optimizer.Update(rate, step);
                gradientNorms[i] = step.ToArray<float>(optimizer.GradientNorm)[0];
            }
        }

        compare.Relative("lr", rates, recorded.Floats("lr"), Tolerance.LearningRate);
        compare.Relative("loss", losses, recorded.Floats("loss"), Tolerance.Loss);
        compare.Relative("grad_norm", gradientNorms, recorded.Floats("grad_norm"), Tolerance.Gradient);
        CompareDecay(recorded, compare, store, (float)settings.WeightDecay);
        CompareUpdates(recorded, compare, store, step);
    }

    private static void CompareDecay(RecordedCase recorded, Comparisons compare, ParameterStore store, float decay)
    {
        foreach (var name in recorded.Below("weight_decay/"))
        {
            compare.Relative(
                $"weight_decay/{name}", [AdamW.DecaysMatrices(store[name]) ? decay : 0f], recorded.Floats($"weight_decay/{name}"),
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
