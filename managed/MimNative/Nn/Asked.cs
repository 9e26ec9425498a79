using MimNative.Runtime;

namespace MimNative.Nn;

/// <summary>
/// The patches whose tokens somebody will read: ids (B, M), behind the class token. In the last block of a stack everything behind the
/// attention is computed for them alone; keys and values are those of all tokens, so their numbers are the same.
/// </summary>
internal static class Asked
{
    /// <summary>Their rows (B M, C) of all tokens (B, T, C).</summary>
    public static Tensor Rows(Tensor tokens, Tensor ids, Step step) => Ops.GatherTokens(tokens, ids, first: 1, step).Rows();

    /// <summary>The gradient of all tokens (B T, C) from that of their rows.</summary>
    public static Tensor RowsBackward(Tensor drows, Tensor ids, long tokens, Step step) =>
        Ops.GatherTokensBackward(drows.Reshape(ids[0], ids[1], -1), ids, first: 1, tokens, step).Rows();
}
