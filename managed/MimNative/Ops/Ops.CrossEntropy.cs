using MimNative.Interop;
using MimNative.Runtime;

namespace MimNative;

public static unsafe partial class Ops
{
    /// <summary>
    /// The cross entropy and its gradient in one pass, with label smoothing: the mean over the rows of
    /// (1 - s) (-log p of the label) + s (the mean over the classes of -log p). logits: (R, K); labels: (R) i32. Writes loss (1) and,
    /// where given, lossPerRow (R) and dlogits (R, K), multiplied by gradScale, which may be the logits' own memory.
    /// </summary>
    public static void CrossEntropy(
        Tensor loss, Tensor lossPerRow, Tensor dlogits, Tensor logits, Tensor labels, float smoothing, float gradScale, Step step) =>
        CrossEntropy(loss, lossPerRow, dlogits, logits, labels, Tensor.None, smoothing, gradScale, step);

    /// <summary>
    /// The same against a distribution over the classes, as mixup and cutmix make it of two labels. targets: (R, K) f32, of which each
    /// row sums to 1.
    /// </summary>
    public static void SoftCrossEntropy(
        Tensor loss, Tensor lossPerRow, Tensor dlogits, Tensor logits, Tensor targets, float smoothing, float gradScale, Step step) =>
        CrossEntropy(loss, lossPerRow, dlogits, logits, Tensor.None, targets, smoothing, gradScale, step);

    private static void CrossEntropy(
        Tensor loss, Tensor lossPerRow, Tensor dlogits, Tensor logits, Tensor labels, Tensor targets, float smoothing,
        float gradScale, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        var parameters = new mim_cross_entropy_params
        {
            size = sizeof(mim_cross_entropy_params),
            smoothing = smoothing,
            grad_scale = gradScale,
        };
        Mim.mim_cross_entropy(
            step.Native, View(&loss), View(&lossPerRow), View(&dlogits), View(&logits), View(&labels), View(&targets), &parameters);
    }
}
