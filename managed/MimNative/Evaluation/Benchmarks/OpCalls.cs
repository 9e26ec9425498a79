using MimNative.Nn;
using MimNative.Runtime;

namespace MimNative.Evaluation.Benchmarks;

/// <summary>Ops ready to be called: the inputs are made once, in a step of their own, and each call makes its results in another.</summary>
internal static class OpCalls
{
    /// <summary>Makes the inputs of a case in <paramref name="inputs"/>; returns the call.</summary>
    public static Action<Step> Of(OpCase op, DType type, Step inputs) => op.Op switch
    {
        OpNames.Linear or OpNames.LinearInput or OpNames.LinearWeight => Linear(op, type, inputs),
        OpNames.Mlp or OpNames.MlpBackward => Mlp(op, type, inputs),
        OpNames.Attention or OpNames.AttentionTraining => Attention(op, type, inputs),
        OpNames.LayerNorm or OpNames.LayerNormBackward => LayerNorm(op, type, inputs),
        OpNames.Gelu or OpNames.GeluBackward => Gelu(op, type, inputs),
        OpNames.Patchify => Patchify(op, type, inputs),
        OpNames.GatherTokens => GatherTokens(op, type, inputs),
        OpNames.RestoreTokens => RestoreTokens(op, type, inputs),
        OpNames.MaskedLoss => MaskedLoss(op, type, inputs),
        OpNames.LowPass => LowPass(op, inputs),
        OpNames.AdamW => AdamW(op, type, inputs),
        var other => throw new ArgumentException($"there is no op '{other}'"),
    };

    private static Action<Step> Linear(OpCase op, DType type, Step inputs)
    {
        var (rows, k, n) = (op["rows"], op["inputs"], op["outputs"]);
        var (x, w, dy) = (Noise(inputs, type, rows, k), Noise(inputs, type, n, k), Noise(inputs, type, rows, n));
        var (bias, dw, dbias) = (Noise(inputs, DType.F32, n), Noise(inputs, DType.F32, n, k), Noise(inputs, DType.F32, n));
        return op.Op switch
        {
            OpNames.Linear => step => Ops.Linear(x, w, bias, step),
            OpNames.LinearInput => step => Ops.LinearBackward(dy, x, w, Tensor.None, Tensor.None, step),
            _ => step => Ops.LinearBackward(dy, x, w, dw, dbias, step, wantInput: false),
        };
    }

    private static Action<Step> Mlp(OpCase op, DType type, Step inputs)
    {
        var (rows, dim, hidden) = (op["rows"], op["dim"], op["hidden"]);
        var (x, w1, w2, dy) = (
            Noise(inputs, type, rows, dim), Noise(inputs, type, hidden, dim), Noise(inputs, type, dim, hidden), Noise(inputs, type, rows, dim));
        var (bias1, bias2, pre) = (Noise(inputs, DType.F32, hidden), Noise(inputs, DType.F32, dim), Noise(inputs, type, rows, hidden));
        if (op.Op == OpNames.Mlp)
        {
            return step => Ops.Mlp(step.EmptyLike(x), x, w1, bias1, w2, bias2, step);
        }
        var (dw1, dw2) = (Noise(inputs, DType.F32, hidden, dim), Noise(inputs, DType.F32, dim, hidden));
        var (dbias1, dbias2) = (Noise(inputs, DType.F32, hidden), Noise(inputs, DType.F32, dim));
        return step => Ops.MlpBackward(dy, x, pre, w1, w2, dw1, dbias1, dw2, dbias2, step);
    }

    private static Action<Step> Attention(OpCase op, DType type, Step inputs)
    {
        var (windows, side) = (op["across"] * op["across"], (int)op["window"]);
        var (batch, tokens, heads, dim) = (op["batch"], op["tokens"] * Math.Max(1, windows), op["heads"], op["dim"]);
        var qkv = Noise(inputs, type, batch, tokens, 3, heads, dim);
        var (q, k, v) = (qkv.At(2, 0), qkv.At(2, 1), qkv.At(2, 2));
        var dy = Noise(inputs, type, batch, tokens, heads, dim);
        var position = default(AttentionPosition);
        Tensor dbias = default, dtable = default;
        if (windows > 0)
        {
            var partition = new WindowPartition((int)op["across"] * side, (int)op["across"] * side, side, Shift: 0);
            position = position with
            {
                Windows = FromHost(inputs, partition.Tokens(), windows, op["tokens"]),
                Bias = Noise(inputs, DType.F32, heads, op["tokens"], op["tokens"]),
            };
            dbias = Noise(inputs, DType.F32, heads, op["tokens"], op["tokens"]);
        }
        else if (op["buckets"] > 0)
        {
            position = position with
            {
                Table = Noise(inputs, DType.F32, dim, op["buckets"]),
                Buckets = FromHost(inputs, ContextualPosition.Of(side, side), tokens, tokens),
            };
            dtable = Noise(inputs, DType.F32, dim, op["buckets"]);
        }
        var scale = 1 / MathF.Sqrt(dim);
        if (op.Op == OpNames.Attention)
        {
            return step => Ops.Attention(q, k, v, position, scale, step, out _);
        }
        return step =>
        {
            var y = Ops.Attention(q, k, v, position, scale, step, out var lse);
            var dqkv = step.EmptyLike(qkv);
            Ops.AttentionBackward(
                dqkv.At(2, 0), dqkv.At(2, 1), dqkv.At(2, 2), dbias, dtable, dy, q, k, v, position, y, lse, scale, step);
        };
    }

    private static Action<Step> LayerNorm(OpCase op, DType type, Step inputs)
    {
        var (rows, dim) = (op["rows"], op["dim"]);
        var (x, branch, dy) = (Noise(inputs, type, rows, dim), Noise(inputs, type, rows, dim), Noise(inputs, type, rows, dim));
        var (gamma, beta) = (Noise(inputs, DType.F32, dim), Noise(inputs, DType.F32, dim));
        if (op.Op == OpNames.LayerNorm)
        {
            return step => Ops.LayerNorm(x, branch, gamma, beta, 1e-6f, step, out _, out _, out _);
        }
        var (dgamma, dbeta) = (Noise(inputs, DType.F32, dim), Noise(inputs, DType.F32, dim));
        Ops.LayerNorm(x, branch, gamma, beta, 1e-6f, inputs, out var sum, out var mean, out var rstd);
        return step => Ops.LayerNormBackward(dy, branch, sum, mean, rstd, gamma, dgamma, dbeta, step);
    }

    private static Action<Step> Gelu(OpCase op, DType type, Step inputs)
    {
        var (x, dy) = (Noise(inputs, type, op["rows"], op["dim"]), Noise(inputs, type, op["rows"], op["dim"]));
        return op.Op == OpNames.Gelu ? step => Ops.Gelu(x, step) : step => Ops.GeluBackward(dy, x, step);
    }

    private static Action<Step> Patchify(OpCase op, DType type, Step inputs)
    {
        var (images, count) = (Images(op, inputs), op["side"] / op["patch"] * (op["side"] / op["patch"]));
        var ids = Ids(inputs, op["batch"], op["kept"], count);
        return step => Ops.Patchify(images, ids, (int)op["patch"], PatchOrder.ChannelsFirst, type, step);
    }

    private static Action<Step> GatherTokens(OpCase op, DType type, Step inputs)
    {
        var x = Noise(inputs, type, op["batch"], op["tokens"], op["dim"]);
        var ids = Ids(inputs, op["batch"], op["kept"], op["tokens"] - 1);
        return step => Ops.GatherTokens(x, ids, first: 1, step);
    }

    private static Action<Step> RestoreTokens(OpCase op, DType type, Step inputs)
    {
        var x = Noise(inputs, type, op["batch"], op["kept"] + 1, op["dim"]);
        var (token, position) = (Noise(inputs, DType.F32, op["dim"]), Noise(inputs, DType.F32, op["patches"] + 1, op["dim"]));
        var restore = Ids(inputs, op["batch"], op["patches"], op["patches"]);
        return step => Ops.RestoreTokens(x, token, position, restore, classToken: true, step);
    }

    private static Action<Step> MaskedLoss(OpCase op, DType type, Step inputs)
    {
        var (batch, hidden, patch) = (op["batch"], op["hidden"], op["patch"]);
        var (images, pred) = (Images(op, inputs), Noise(inputs, type, batch, hidden, patch * patch * op["channels"]));
        var ids = Ids(inputs, batch, hidden, op["side"] / patch * (op["side"] / patch));
        var ones = inputs.Empty(DType.F32, batch, hidden);
        Ops.Fill(ones, 1, inputs);
        var settings = new MaskedLossSettings(LossKind.L2, (int)patch, PatchOrder.PixelsFirst, Normalize: true);
        return step => Ops.MaskedLoss(
            step.Empty(DType.F32, 1), Tensor.None, step.EmptyLike(pred), Tensor.None, pred, images, ones, ids, settings, 1, step);
    }

    private static Action<Step> LowPass(OpCase op, Step inputs)
    {
        var (images, mean, std) = (Images(op, inputs), inputs.Empty(DType.F32, op["channels"]), inputs.Empty(DType.F32, op["channels"]));
        Ops.Fill(mean, 0.45f, inputs);
        Ops.Fill(std, 0.225f, inputs);
        return step => Ops.LowPass(images, mean, std, op["radius"], LowPassMode.Exact, step);
    }

    private static Action<Step> AdamW(OpCase op, DType type, Step inputs)
    {
        var count = op["count"];
        var (p, m, v, g) = (Noise(inputs, DType.F32, count), Zeros(inputs, count), Zeros(inputs, count), Zeros(inputs, count));
        var rounded = type == DType.BF16 ? inputs.Empty(DType.BF16, count) : Tensor.None;
        var (norm, scalars) = (Zeros(inputs, 1), inputs.Empty(DType.F32, Ops.AdamWScalars));
        Ops.Fill(scalars, 0.1f, inputs);
        OptimizerSegment[] all = [new(0, count, 0.05f, 1)];
        return step => Ops.AdamWStep(p, m, v, rounded, g, norm, scalars, all, 0.9f, 0.95f, 1e-8f, 0, step);
    }

    private static Tensor Images(OpCase op, Step inputs) =>
        Noise(inputs, DType.F32, op["batch"], op["channels"], op["side"], op["side"]);

    private static Tensor Zeros(Step inputs, long count)
    {
        var x = inputs.Empty(DType.F32, count);
        Ops.Fill(x, 0, inputs);
        return x;
    }

    // Per image `count` different numbers below `all`, in no order.
    private static Tensor Ids(Step inputs, long batch, long count, long all)
    {
        var random = new Random(2);
        var ids = new int[batch * count];
        for (var b = 0; b < batch; b++)
        {
            int[] order = [.. Enumerable.Range(0, (int)all)];
            random.Shuffle(order);
            order.AsSpan(0, (int)count).CopyTo(ids.AsSpan(b * (int)count));
        }
        return FromHost(inputs, ids, batch, count);
    }

    private static Tensor FromHost(Step inputs, int[] values, params ReadOnlySpan<long> shape) => inputs.FromHost<int>(values, shape);

    // Mean 0, deviation 1/4: no op overflows or saturates on it.
    private static Tensor Noise(Step inputs, DType type, params ReadOnlySpan<long> shape)
    {
        var x = inputs.Empty(type, shape);
        if (!inputs.IsPlanning)
        {
            var random = new Random((int)x.Count);
            var values = new float[x.Count];
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = (random.NextSingle() - 0.5f) * 0.866f;
            }
            inputs.Upload<float>(values, x);
        }
        return x;
    }
}
