using MimNative.Runtime;

namespace MimNative.Nn;

/// <summary>
/// Multi-head self-attention with packed projections (Vaswani et al. 2017, section 3.2), with or without relative positions: a bias of
/// its own, a shared one or the sum of both, windows, contextual buckets.
/// </summary>
public sealed class Attention
{
    private readonly string _name;
    private readonly Linear? _qkv;
    private readonly UnbiasedKeys? _unbiasedKeys;
    private readonly RelativePositionBias? _relative;
    private readonly Parameter? _table;
    private readonly Linear _proj;
    private readonly int _heads;
    private readonly long _headDim;
    private readonly float _scale;

    /// <summary>Attention over tokens of <paramref name="dim"/> channels, without positions.</summary>
    public Attention(ParameterScope scope, long dim, int heads)
        : this(scope, new BlockSettings(dim, heads, MlpRatio: 4, Eps: 1e-6f))
    {
    }

    /// <summary>The attention of a block.</summary>
    public Attention(ParameterScope scope, BlockSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var (dim, heads) = (settings.Dim, settings.Heads);
        if (heads < 1 || dim % heads != 0)
        {
            throw new ArgumentException($"{dim} channels cannot be shared by {heads} heads", nameof(settings));
        }
        _name = scope.Prefix;
        _heads = heads;
        _headDim = dim / heads;
        _scale = (float)(1.0 / Math.Sqrt(_headDim));
        if (settings.RelativePositions > 0)
        {
            _relative = new RelativePositionBias(scope, settings.RelativePositions, heads, settings.RelativeInit);
        }
        if (settings.KeyBias)
        {
            _qkv = new Linear(scope["qkv"], dim, 3 * dim, settings.Init);
        }
        else
        {
            _unbiasedKeys = new UnbiasedKeys(scope, dim, settings.Init);
        }
        if (settings.Buckets > 0)
        {
            _table = scope["rpe_k"].Add(
                "lookup_table_weight", Initializer.Zeros, trainable: true, 1, _headDim, settings.Buckets);
        }
        _proj = new Linear(scope["proj"], dim, dim, settings.InitLast ?? settings.Init);
    }

    /// <summary>x: (B T, C), the tokens of B images of T tokens each, without positions.</summary>
    public Tensor Forward(Tensor x, long batch, Step step, out Saved saved)
    {
        ArgumentNullException.ThrowIfNull(step);
        var z = step.EmptyLike(x);
        saved = Forward(z, x, batch, default, Asked.All, step);
        return z;
    }

    /// <summary>
    /// Into z: (B T, C). x: (B T, C), the tokens of B images of T tokens each. Where patches are asked for, z holds theirs alone: (B M, C).
    /// </summary>
    public Saved Forward(Tensor z, Tensor x, long batch, in BlockContext context, in Asked asked, Step step)
    {
        var saved = Attend(x, batch, context, asked, step);
        _proj.Forward(z, saved.Answers, step);
        return saved;
    }

    /// <summary>The same without the last projection: everything that Backward needs, from x.</summary>
    public Saved Attend(Tensor x, long batch, in BlockContext context, in Asked asked, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        var qkv = _qkv is { } plain                                              // (B T, 3 C), channels as [3][head][D]
            ? plain.Forward(x, step, out var qkvSaved)
            : _unbiasedKeys!.Forward(x, step, out qkvSaved);
        var position = PositionIn(context, step);
        var (q, k, v) = Split(qkv, batch);
        var y = Ops.Attention(q, k, v, position, _scale, step, out var lse);     // (B, T, H, D)
        (step.Observer as IAttentionObserver)?.Attended(new AttentionCall(_name, q, k, v, y, position, _scale, context.Places), step);
        var answers = asked.IsAll ? y.Reshape(x[0], x[1]) : asked.Rows(y.Reshape(batch, -1, x[1]), step);
        return new Saved(qkvSaved, qkv, position, y, lse, answers, asked);
    }

    /// <summary>The gradient of x, without positions.</summary>
    public Tensor Backward(Tensor dz, in Saved saved, Step step) => Backward(dz, saved, default, step);

    /// <summary>The gradient of x; the context is forward's.</summary>
    public Tensor Backward(Tensor dz, in Saved saved, in BlockContext context, Step step)
    {
        var batch = saved.Y[0];
        var danswers = _proj.Backward(dz, new Linear.Saved(saved.Answers), step);
        var dy = (saved.Asked.IsAll ? danswers : saved.Asked.RowsBackward(danswers, saved.Y[1], step))
            .Reshape(saved.Y[0], saved.Y[1], saved.Y[2], saved.Y[3]);
        var dqkv = step.EmptyLike(saved.Qkv);
        var (q, k, v) = Split(saved.Qkv, batch);
        var (dq, dk, dv) = Split(dqkv, batch);
        var dbias = _relative is null ? context.DBias : Ops.FilledLike(saved.Position.Bias, 0, step);
        var dtable = _table is null ? Tensor.None : _table.GradAs(_headDim, -1);
        Ops.AttentionBackward(
            dq, dk, dv, dbias, dtable, dy, q, k, v, saved.Position, saved.Y, saved.Lse, _scale, step);
        _relative?.Backward(dbias, context.RelativeIndex, step);
        if (_relative is not null && !context.DBias.IsAbsent)
        {
            Ops.Add(context.DBias, context.DBias, dbias, step);
        }
        return _qkv is { } plain
            ? plain.Backward(dqkv, saved.QkvLinear, step)
            : _unbiasedKeys!.Backward(dqkv, saved.QkvLinear, step);
    }

    private AttentionPosition PositionIn(in BlockContext context, Step step)
    {
        var position = context.Position;
        if (_relative is not null)
        {
            var own = _relative.Forward(context.RelativeIndex, step);
            if (!position.Bias.IsAbsent)
            {
                Ops.Add(own, own, position.Bias, step);
            }
            position = position with { Bias = own };
        }
        return _table is null ? position : position with { Table = _table.ValueAs(_headDim, -1) };
    }

    // The thirds of (B T, 3 C) as (B, T, H, D) each, in place.
    private (Tensor Q, Tensor K, Tensor V) Split(Tensor qkv, long batch)
    {
        var packed = qkv.Reshape(batch, -1, 3, _heads, _headDim);
        return (packed.At(2, 0), packed.At(2, 1), packed.At(2, 2));
    }

    /// <summary>What Backward needs from Forward.</summary>
    public readonly record struct Saved(
        Linear.Saved QkvLinear, Tensor Qkv, AttentionPosition Position, Tensor Y, Tensor Lse, Tensor Answers, Asked Asked)
    {
        /// <summary>The same with x made again.</summary>
        public Saved With(Tensor x) => this with { QkvLinear = new Linear.Saved(x) };
    }
}
