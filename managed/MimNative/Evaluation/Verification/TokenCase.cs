using MimNative.Masking;
using MimNative.Nn;
using MimNative.Runtime;

namespace MimNative.Evaluation.Verification;

/// <summary>Patchify, masks, gather, unshuffle with the mask token, and the patch embedding, each with its gradients.</summary>
internal static class TokenCase
{
    public static void Check(RecordedCase recorded, Comparisons compare, Step step)
    {
        var imageShape = recorded.Shape("imgs", 4);
        var grid = new PatchGrid((int)imageShape[2], (int)imageShape[3], (int)imageShape[1], recorded.Integer("patch"));
        grid.Validate();
        var images = recorded.Load("imgs", step);

        void Compare(string name, Tensor got, double tolerance) =>
            compare.Norm(name, step.ToArray<float>(got), recorded.Floats(name), tolerance);

        Compare(
            "patches",
            Ops.Patchify(images, Tensor.None, grid.Patch, PatchOrder.PixelsFirst, DType.F32, step), Tolerance.Output);

        var mask = RandomMasking.FromNoise(recorded.Load("noise", step), recorded.Integer("keep"), step);
        int[] keep = step.ToArray<int>(mask.IdsKeep), masked = step.ToArray<int>(mask.IdsMasked);
        compare.Exact<int>("ids_keep", keep, recorded.Ints("ids_keep"));
        compare.Exact<int>("ids_restore", step.ToArray<int>(mask.IdsRestore), recorded.Ints("ids_restore"));
        compare.Exact<int>("ids_shuffle", Shuffle(keep, masked, (int)imageShape[0]), recorded.Ints("ids_shuffle"));

        var x = recorded.Load("x", step);
        Compare("gathered", Ops.GatherTokens(x, mask.IdsKeep, 0, step), Tolerance.Output);
        Compare(
            "gathered/dx",
            Ops.GatherTokensBackward(recorded.Load("gathered/dy", step), mask.IdsKeep, 0, x[1], step), Tolerance.Gradient);

        var kept = recorded.Load("kept", step);
        var maskToken = recorded.Load("mask_token", step).Reshape(-1);
        Compare(
            "unshuffled",
            Ops.RestoreTokens(kept, maskToken, Tensor.None, mask.IdsRestore, classToken: false, step), Tolerance.Output);
        var dmaskToken = Ops.Filled(0, DType.F32, step, maskToken[0]);
        var dkept = Ops.RestoreTokensBackward(
            recorded.Load("unshuffled/dy", step), dmaskToken, Tensor.None, mask.IdsRestore, kept[1], step);
        Compare("unshuffled/dkept", dkept, Tolerance.Gradient);
        Compare("unshuffled/dmask_token", dmaskToken, Tolerance.Gradient);
        CheckEmbedding(recorded, Compare, grid, images, step);
    }

    private static void CheckEmbedding(
        RecordedCase recorded, Action<string, Tensor, double> compare, PatchGrid grid, Tensor images, Step step)
    {
        using var store = new ParameterStore();
        var embed = new PatchEmbed(store.Root, grid, recorded.Shape("embed/weight", 4)[0]);
        store.Allocate(step.Context);
        step.Upload<float>(recorded.Floats("embed/weight"), store["proj.weight"].Value);
        step.Upload<float>(recorded.Floats("embed/bias"), store["proj.bias"].Value);
        compare("embed/out", embed.Forward(images, Tensor.None, step, out var saved), Tolerance.Output);
        var dimages = Ops.Filled(0, DType.F32, step, images.Shape);
        embed.Backward(recorded.Load("embed/dy", step), dimages, saved, step);
        compare("embed/dweight", store["proj.weight"].Grad, Tolerance.Gradient);
        compare("embed/dbias", store["proj.bias"].Grad, Tolerance.Gradient);
        compare("embed/dimgs", dimages, Tolerance.Gradient);
    }

    // Per image the kept patches, then the removed ones.
    public static int[] Shuffle(int[] keep, int[] masked, int batch)
    {
        int kept = keep.Length / batch, removed = masked.Length / batch;
        var shuffle = new List<int>();
        for (var b = 0; b < batch; b++)
        {
            shuffle.AddRange(keep[(b * kept)..((b + 1) * kept)]);
            shuffle.AddRange(masked[(b * removed)..((b + 1) * removed)]);
        }
        return [.. shuffle];
    }
}
