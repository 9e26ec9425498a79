using MimNative.Runtime;

namespace MimNative.Nn;

/// <summary>
/// Who watches a step (<see cref="Step.Observer"/>) and is of this kind is shown every attention of it. The weights themselves are never stored:
/// they follow from what is shown.
/// </summary>
public interface IAttentionObserver
{
    /// <summary>An attention was computed. The tensors live until the step ends or the attention's block lends their memory on.</summary>
    void Attended(in AttentionCall call, Step step);
}

/// <summary>What one attention was given, and its answer: everything that <see cref="Ops.Attention"/> knows.</summary>
/// <param name="Name">The scope of its parameters: <c>blocks.3.attn</c>.</param>
/// <param name="Q">(R, T, H, D).</param>
/// <param name="K">(R, T, H, D).</param>
/// <param name="V">(R, T, H, D).</param>
/// <param name="Answer">(R, T, H, D).</param>
/// <param name="Position">What is added to the scores, and the windows.</param>
/// <param name="Scale">The factor on q k.</param>
/// <param name="Places">Where the tokens stand.</param>
public readonly record struct AttentionCall(
    string Name, Tensor Q, Tensor K, Tensor V, Tensor Answer, AttentionPosition Position, float Scale, TokenPlaces Places);
