using System.Globalization;
using MimNative.Export;
using MimNative.Nn;
using MimNative.Runtime;

namespace MimNative.Evaluation.Verification;

/// <summary>
/// Single operations of decoders, probes and convolutional stages: cross entropy, pixel shuffle, convolutions (masked and depthwise, of
/// blocks, transposed), a linear layer, BatchNorm. Maps are recorded with the channels first; here tokens have theirs last.
/// </summary>
internal sealed class ExtrasCase
{
    private readonly RecordedCase _recorded;
    private readonly Comparisons _compare;
    private readonly Step _step;

    private ExtrasCase(RecordedCase recorded, Comparisons compare, Step step) =>
        (_recorded, _compare, _step) = (recorded, compare, step);

    public static void Check(RecordedCase recorded, Comparisons compare, Step step)
    {
        var extras = new ExtrasCase(recorded, compare, step);
        extras.CrossEntropy();
        extras.PixelShuffle();
        extras.MaskedDepthwise();
        extras.Strided("conv2s2");
        extras.Transposed("convT2s2");
        extras.LinearLayer();
        extras.BatchNorm();
    }

    // "ce" and "ce_smooth0p1" share logits and labels.
    private void CrossEntropy()
    {
        Tensor logits = Load("ce/logits", 2), labels = Load("ce/labels", 1);
        var names = _recorded.Tensors
            .Where(n => n.StartsWith("ce", StringComparison.Ordinal) && n.EndsWith("/loss", StringComparison.Ordinal))
            .Select(n => n[..^"/loss".Length]);
        foreach (var name in names)
        {
            var loss = _step.Empty(DType.F32, 1);
            var dlogits = _step.EmptyLike(logits);
            Ops.CrossEntropy(loss, Tensor.None, dlogits, logits, labels, Smoothing(name), gradScale: 1, _step);
            _compare.Relative($"{name}/loss", _step.ToArray<float>(loss), _recorded.Floats($"{name}/loss"), Tolerance.Loss);
            Compare($"{name}/dlogits", dlogits, Tolerance.Gradient);
        }
    }

    private static float Smoothing(string name)
    {
        const string smooth = "ce_smooth";
        if (name == "ce")
        {
            return 0;
        }
        return name.StartsWith(smooth, StringComparison.Ordinal) && float.TryParse(
            name[smooth.Length..].Replace('p', '.'), NumberStyles.Float, CultureInfo.InvariantCulture, out var smoothing)
            ? smoothing
            : throw new InvalidFileException($"cross entropy '{name}' is neither ce nor ce_smooth...");
    }

    // A row of channels is a patch of the finer image: SimMIM's head predicts such rows, its loss compares them in this order.
    private void PixelShuffle()
    {
        var rows = ChannelsLast("pixel_shuffle/x");
        Tensor pred = rows.Reshape(rows[0], rows[1] * rows[2], rows[3]), image = Load("pixel_shuffle/y", 4);
        var patch = (int)(image[2] / rows[1]);
        var shuffled = Ops.Filled(0, DType.F32, _step, image.Shape);
        Ops.PatchifyBackward(shuffled, pred, Tensor.None, patch, PatchOrder.ChannelsFirst, _step);
        _compare.Exact<float>("pixel_shuffle/y", _step.ToArray<float>(shuffled), _recorded.Floats("pixel_shuffle/y"));

        var loss = _step.Empty(DType.F32, 1);
        var all = Ops.Filled(1, DType.F32, _step, pred[0], pred[1]);
        var settings = new MaskedLossSettings(LossKind.L1, patch, PatchOrder.ChannelsFirst, Normalize: false);
        Ops.MaskedLoss(loss, Tensor.None, Tensor.None, Tensor.None, pred, image, all, Tensor.None, settings, 1, _step);
        _compare.Absolute("pixel_shuffle/x (loss against y)", _step.ToArray<float>(loss), [0f], 0);
    }

    private void MaskedDepthwise()
    {
        Tensor x = ChannelsLast("dwconv5/x"), w = Load("dwconv5/weight", 4);
        w = w.Reshape(w[0], w[2], w[3]);
        var keep = Load("dwconv5/mask", 4).Reshape(x[0], x[1], x[2]);
        var y = Ops.DepthwiseConv(x, w, Load("dwconv5/bias", 1), keep, _step);
        Tensor dw = Zeros(w.Shape), dbias = Zeros(w[0]);
        var dx = Ops.DepthwiseConvBackward(ChannelsLast("dwconv5/dy"), x, w, keep, dw, dbias, _step);
        Compare("dwconv5/y", ChannelsFirst(y), Tolerance.Output);
        Compare("dwconv5/dx", ChannelsFirst(dx), Tolerance.Gradient);
        Compare("dwconv5/dweight", dw, Tolerance.Gradient);
        Compare("dwconv5/dbias", dbias, Tolerance.Gradient);
    }

    // The weight of a convolution is recorded (N, C, k, k), that of a transposed one (C, N, k, k).
    private void Strided(string name)
    {
        var weight = _recorded.Shape($"{name}/weight", 4);
        Tensor x = ChannelsLast($"{name}/x"), dy = ChannelsLast($"{name}/dy");
        using var store = new ParameterStore();
        var conv = new StridedConv(store.Root, (int)x[1], (int)x[2], (int)weight[2], weight[1], weight[0]);
        LoadConvolution(name, store);
        var y = conv.Forward(x.Reshape(x[0], -1, x[3]), Tensor.None, _step, out var saved);
        CompareConvolution(name, y.Reshape(dy.Shape), conv.Backward(dy.Reshape(dy[0], -1, dy[3]), saved, _step).Reshape(x.Shape), store);
    }

    private void Transposed(string name)
    {
        var weight = _recorded.Shape($"{name}/weight", 4);
        Tensor x = ChannelsLast($"{name}/x"), dy = ChannelsLast($"{name}/dy");
        using var store = new ParameterStore();
        var conv = new TransposedConv(store.Root, (int)x[1], (int)x[2], (int)weight[2], weight[0], weight[1]);
        LoadConvolution(name, store);
        var y = conv.Forward(x.Reshape(x[0], -1, x[3]), _step, out var saved);
        CompareConvolution(name, y.Reshape(dy.Shape), conv.Backward(dy.Reshape(dy[0], -1, dy[3]), saved, _step).Reshape(x.Shape), store);
    }

    private void LoadConvolution(string name, ParameterStore store)
    {
        store.Allocate(_step.Context);
        _step.Upload<float>(_recorded.Floats($"{name}/weight"), store["weight"].Value);
        _step.Upload<float>(_recorded.Floats($"{name}/bias"), store["bias"].Value);
    }

    private void CompareConvolution(string name, Tensor y, Tensor dx, ParameterStore store)
    {
        Compare($"{name}/y", ChannelsFirst(y), Tolerance.Output);
        Compare($"{name}/dx", ChannelsFirst(dx), Tolerance.Gradient);
        Compare($"{name}/dweight", store["weight"].Grad, Tolerance.Gradient);
        Compare($"{name}/dbias", store["bias"].Grad, Tolerance.Gradient);
    }

    private void LinearLayer()
    {
        Tensor x = Load("linear/x", 3).Rows(), w = Load("linear/weight", 2);
        var y = Ops.Linear(x, w, Load("linear/bias", 1), _step);
        Tensor dw = Zeros(w.Shape), dbias = Zeros(w[0]);
        var dx = Ops.LinearBackward(Load("linear/dy", 3).Rows(), x, w, dw, dbias, _step);
        Compare("linear/y", y, Tolerance.Output);
        Compare("linear/dx", dx, Tolerance.Gradient);
        Compare("linear/dweight", dw, Tolerance.Gradient);
        Compare("linear/dbias", dbias, Tolerance.Gradient);
    }

    // The linear probe's: without scale and shift, after one batch, from a mean of 0 and a variance of 1.
    private void BatchNorm()
    {
        var x = Load("bn1d/x", 2);
        Tensor mean = Zeros(x[1]), variance = Ops.Filled(1, DType.F32, _step, x[1]);
        var settings = new BatchNormSettings(Training: true, Eps: 1e-6f);
        var y = Ops.BatchNorm(
            x, Tensor.None, Tensor.None, mean, variance, settings, _step, out var batchMean, out var rstd);
        var dx = Ops.BatchNormBackward(
            Load("bn1d/dy", 2), x, batchMean, rstd, Tensor.None, Tensor.None, Tensor.None, settings, _step);
        Compare("bn1d/y", y, Tolerance.Output);
        Compare("bn1d/running_mean", mean, Tolerance.Output);
        Compare("bn1d/running_var", variance, Tolerance.Output);
        Compare("bn1d/dx", dx, Tolerance.Gradient);
    }

    private Tensor Load(string name, int rank) => _recorded.Load(name, _step, _recorded.Shape(name, rank));

    private Tensor Zeros(params ReadOnlySpan<long> shape) => Ops.Filled(0, DType.F32, _step, shape);

    private void Compare(string name, Tensor got, double tolerance) =>
        _compare.Norm(name, _step.ToArray<float>(got), _recorded.Floats(name), tolerance);

    // (B, C, H, W) as (B, H, W, C), and back.
    private Tensor ChannelsLast(string name) => Turned(Load(name, 4), 0, 2, 3, 1);

    private Tensor ChannelsFirst(Tensor map) => Turned(map, 0, 3, 1, 2);

    private Tensor Turned(Tensor map, params ReadOnlySpan<int> axes)
    {
        var view = map.Permute(axes);
        var turned = _step.Empty(map.Type, view.Shape);
        Ops.Copy(turned, view, _step);
        return turned;
    }
}
