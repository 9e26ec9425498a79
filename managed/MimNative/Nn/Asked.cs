using MimNative.Runtime;

namespace MimNative.Nn;

/// <summary>
/// The patches whose tokens somebody will read, where not all. In the last block of a stack everything behind the attention is computed
/// for them alone; keys and values are those of all tokens, so their numbers are the same.
/// </summary>
/// <param name="Ids">(B, M) i32: the patches; absent for all tokens.</param>
/// <param name="First">Tokens before the patches: 1 with a class token.</param>
public readonly record struct Asked(Tensor Ids, int First)
{
    /// <summary>All tokens.</summary>
    public static Asked All => default;

    /// <summary>Whether all tokens are wanted.</summary>
    public bool IsAll => Ids.IsAbsent;

    /// <summary>How many tokens of all images.</summary>
    public long Count => Ids.Count;

    /// <summary>Their rows (B M, C) of all tokens (B, T, C).</summary>
    public Tensor Rows(Tensor tokens, Step step) => Ops.GatherTokens(tokens, Ids, First, step).Rows();

    /// <summary>The gradient of all tokens (B T, C) from that of their rows.</summary>
    public Tensor RowsBackward(Tensor drows, long tokens, Step step) =>
        Ops.GatherTokensBackward(drows.Reshape(Ids[0], Ids[1], -1), Ids, First, tokens, step).Rows();
}
