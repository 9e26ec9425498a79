using MimNative.Runtime;

namespace MimNative.Nn;

/// <summary>Multi-head self-attention with packed projections (Vaswani et al. 2017, section 3.2).</summary>
public sealed class Attention
{
    private readonly Linear _qkv;
    private readonly Linear _proj;
    private readonly int _heads;
    private readonly long _headDim;
    private readonly float _scale;

    /// <summary>Attention over tokens of <paramref name="dim"/> channels.</summary>
    public Attention(ParameterScope scope, long dim, int heads)
    {
        if (heads < 1 || dim % heads != 0)
        {
            throw new ArgumentException($"{dim} channels cannot be shared by {heads} heads", nameof(heads));
        }
        _qkv = new Linear(scope["qkv"], dim, 3 * dim);
        _proj = new Linear(scope["proj"], dim, dim);
        _heads = heads;
        _headDim = dim / heads;
        _scale = (float)(1.0 / Math.Sqrt(_headDim));
    }

    /// <summary>x: (B T, C), the tokens of B images of T tokens each.</summary>
    public Tensor Forward(Tensor x, long batch, Step step, out Saved saved)
    {
        var qkv = _qkv.Forward(x, step, out var qkvSaved);                      // (B T, 3 C), channels as [3][head][D]
        var (q, k, v) = Split(qkv, batch);
        var y = Ops.Attention(q, k, v, default, _scale, step, out var lse);     // (B, T, H, D)
        var z = _proj.Forward(y.Reshape(x[0], x[1]), step, out var projSaved);
        saved = new Saved(qkvSaved, qkv, y, lse, projSaved);
        return z;
    }

    /// <summary>The gradient of x.</summary>
    public Tensor Backward(Tensor dz, in Saved saved, Step step)
    {
        var batch = saved.Y[0];
        var dy = _proj.Backward(dz, saved.Proj, step).Reshape(saved.Y[0], saved.Y[1], saved.Y[2], saved.Y[3]);
        var dqkv = step.EmptyLike(saved.Qkv);
        var (q, k, v) = Split(saved.Qkv, batch);
        var (dq, dk, dv) = Split(dqkv, batch);
        Ops.AttentionBackward(dq, dk, dv, Tensor.None, Tensor.None, dy, q, k, v, default, saved.Y, saved.Lse, _scale, step);
        return _qkv.Backward(dqkv, saved.QkvLinear, step);
    }

    // The thirds of (B T, 3 C) as (B, T, H, D) each, in place.
    private (Tensor Q, Tensor K, Tensor V) Split(Tensor qkv, long batch)
    {
        var packed = qkv.Reshape(batch, -1, 3, _heads, _headDim);
        return (packed.At(2, 0), packed.At(2, 1), packed.At(2, 2));
    }

    /// <summary>What Backward needs from Forward.</summary>
    public readonly record struct Saved(Linear.Saved QkvLinear, Tensor Qkv, Tensor Y, Tensor Lse, Linear.Saved Proj);
}
