using MimNative.Interop;
using MimNative.Runtime;

namespace MimNative;

/// <summary>Order of the values inside one patch vector; the values are the ABI's.</summary>
public enum PatchOrder
{
    /// <summary>(row, column, channel), channel fastest: MAE's targets and predictions.</summary>
    PixelsFirst = (int)mim_patch_order.MIM_PATCH_PIXELS_FIRST,

    /// <summary>(channel, row, column), column fastest: the weights of a patch embedding.</summary>
    ChannelsFirst = (int)mim_patch_order.MIM_PATCH_CHANNELS_FIRST,
}

public static unsafe partial class Ops
{
    /// <summary>
    /// The pixels of the kept patches. images: (B, C, H, W) f32; ids: (B, K) i32 or absent for all patches in order. Returns
    /// (B, K, P).
    /// </summary>
    public static Tensor Patchify(Tensor images, Tensor ids, int patch, PatchOrder order, DType type, Step step)
    {
        var count = ids.IsAbsent ? images[2] / patch * (images[3] / patch) : ids[1];
        var patches = step.Empty(type, images[0], count, (long)patch * patch * images[1]);
        var parameters = PatchifyParams(patch, order);
        Mim.mim_patchify_forward(step.Native, View(&patches), View(&images), View(&ids), &parameters);
        return patches;
    }

    /// <summary>Adds the patches' gradients to the images' gradient (B, C, H, W).</summary>
    public static void PatchifyBackward(
        Tensor dimages, Tensor dpatches, Tensor ids, int patch, PatchOrder order, Step step)
    {
        var parameters = PatchifyParams(patch, order);
        Mim.mim_patchify_backward(step.Native, View(&dimages), View(&dpatches), View(&ids), &parameters);
    }

    /// <summary>y[b,k] = x[b, first + ids[b,k]]. x: (B, T, D), ids: (B, K); returns (B, K, D).</summary>
    public static Tensor GatherTokens(Tensor x, Tensor ids, int first, Step step)
    {
        var y = step.Empty(x.Type, x[0], ids[1], x[2]);
        var parameters = GatherParams(first);
        Mim.mim_gather_tokens_forward(step.Native, View(&y), View(&x), View(&ids), &parameters);
        return y;
    }

    /// <summary>The gradient of x (B, tokens, D): dy at the gathered places, zero elsewhere.</summary>
    public static Tensor GatherTokensBackward(Tensor dy, Tensor ids, int first, long tokens, Step step)
    {
        var dx = step.Empty(dy.Type, dy[0], tokens, dy[2]);
        var parameters = GatherParams(first);
        Mim.mim_gather_tokens_backward(step.Native, View(&dx), View(&dy), View(&ids), &parameters);
        return dx;
    }

    /// <summary>
    /// Masked patches replaced by the mask token, positions added, class token put first. x: (B, K, D); cls: (D) or absent;
    /// position: (E + L, D) or absent; ids: (B, K) or absent; mask: (B, K) f32, not 0 = masked, and maskToken: (D), both or
    /// neither. Returns (B, E + K, D).
    /// </summary>
    public static Tensor EmbedTokens(
        Tensor x, Tensor cls, Tensor position, Tensor ids, Tensor mask, Tensor maskToken, Step step)
    {
        var y = step.Empty(x.Type, x[0], x[1] + (cls.IsAbsent ? 0 : 1), x[2]);
        Mim.mim_embed_tokens_forward(
            step.Native, View(&y), View(&x), View(&cls), View(&position), View(&ids), View(&mask), View(&maskToken));
        return y;
    }

    /// <summary>The gradient of x, zero where the mask is; adds to dcls, dposition and dmaskToken (absent: not wanted).</summary>
    public static Tensor EmbedTokensBackward(
        Tensor dy, Tensor dcls, Tensor dposition, Tensor dmaskToken, Tensor ids, Tensor mask, bool classToken, Step step)
    {
        var dx = step.Empty(dy.Type, dy[0], dy[1] - (classToken ? 1 : 0), dy[2]);
        Mim.mim_embed_tokens_backward(
            step.Native, View(&dx), View(&dcls), View(&dposition), View(&dmaskToken), View(&dy), View(&ids), View(&mask));
        return dx;
    }

    /// <summary>
    /// Kept tokens back in their places, the mask token elsewhere, positions added. x: (B, E + K, D), idsRestore: (B, L). Returns
    /// (B, E + L, D).
    /// </summary>
    public static Tensor RestoreTokens(
        Tensor x, Tensor maskToken, Tensor position, Tensor idsRestore, bool classToken, Step step)
    {
        var y = step.Empty(x.Type, x[0], idsRestore[1] + (classToken ? 1 : 0), x[2]);
        Mim.mim_restore_tokens_forward(
            step.Native, View(&y), View(&x), View(&maskToken), View(&position), View(&idsRestore));
        return y;
    }

    /// <summary>The gradient of x (B, kept, D); adds to dmaskToken and dposition (absent: not wanted).</summary>
    public static Tensor RestoreTokensBackward(
        Tensor dy, Tensor dmaskToken, Tensor dposition, Tensor idsRestore, long kept, Step step)
    {
        var dx = step.Empty(dy.Type, dy[0], kept, dy[2]);
        Mim.mim_restore_tokens_backward(
            step.Native, View(&dx), View(&dmaskToken), View(&dposition), View(&dy), View(&idsRestore));
        return dx;
    }

    private static mim_patchify_params PatchifyParams(int patch, PatchOrder order) => new()
    {
        size = sizeof(mim_patchify_params),
        patch_height = patch,
        patch_width = patch,
        order = (int)order,
    };

    private static mim_gather_tokens_params GatherParams(int first) =>
        new() { size = sizeof(mim_gather_tokens_params), first = first };
}
