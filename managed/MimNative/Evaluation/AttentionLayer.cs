using MimNative.Nn;
using MimNative.Runtime;

namespace MimNative.Evaluation;

/// <summary>
/// One attention of a pass, on the host: its weights, which the fused kernel never stores, made again from queries and keys in double
/// precision, as native/include/mim/attention.h has them.
/// </summary>
public sealed class AttentionLayer
{
    private readonly float[] _q, _k, _v, _answer, _bias, _mask, _table;
    private readonly int[] _windows, _buckets, _patches;
    private readonly int[] _placeInWindows;
    private readonly double _scale;
    private readonly int _headDim, _window;

    /// <summary>What a call of attention was given.</summary>
    /// <param name="name">What it is called here: <c>encoder.3</c>.</param>
    /// <param name="call">The call.</param>
    /// <param name="step">Its step.</param>
    /// <exception cref="NotSupportedException">It is not known where the tokens stand.</exception>
    internal AttentionLayer(string name, in AttentionCall call, Step step)
    {
        T[] Numbers<T>(Tensor tensor) where T : unmanaged => tensor.IsAbsent ? [] : step.ToArray<T>(tensor);
        var (position, places) = (call.Position, call.Places);
        if (!places.AreKnown)
        {
            throw new NotSupportedException($"'{call.Name}' does not say where its tokens stand, so its attention cannot be shown");
        }
        (Name, Parameters) = (name, call.Name);
        (Sequences, Tokens, Heads, _headDim) = ((int)call.Q[0], (int)call.Q[1], (int)call.Q[2], (int)call.Q[3]);
        (Rows, Columns, HasClassToken, _scale) = (places.Rows, places.Columns, places.ClassToken, call.Scale);
        (_q, _k, _v, _answer) = (Numbers<float>(call.Q), Numbers<float>(call.K), Numbers<float>(call.V), Numbers<float>(call.Answer));
        (_bias, _mask, _table) = (Numbers<float>(position.Bias), Numbers<float>(position.Mask), Numbers<float>(position.Table));
        (_windows, _buckets) = (Numbers<int>(position.Windows), Numbers<int>(position.Buckets));
        _window = _windows.Length == 0 ? Tokens : (int)position.Windows[1];
        _placeInWindows = new int[_windows.Length];
        for (var i = 0; i < _windows.Length; i++)
        {
            _placeInWindows[_windows[i]] = i;
        }
        _patches = PatchesOf(Numbers<int>(places.Ids));
    }

    /// <summary>What it is called here: <c>encoder.3</c>.</summary>
    public string Name { get; }

    /// <summary>The scope of its parameters: <c>blocks.3.attn</c>.</summary>
    public string Parameters { get; }

    /// <summary>Sequences of tokens that attend each for itself: images, or the windows of LoMaR.</summary>
    public int Sequences { get; }

    /// <summary>Tokens of a sequence, class token included.</summary>
    public int Tokens { get; }

    /// <summary>Heads.</summary>
    public int Heads { get; }

    /// <summary>Rows of the grid that the tokens stand for.</summary>
    public int Rows { get; }

    /// <summary>Its columns.</summary>
    public int Columns { get; }

    /// <summary>Whether the first token of a sequence is a class token.</summary>
    public bool HasClassToken { get; }

    /// <summary>The patch of the layer's grid that a token stands for; -1 for the class token.</summary>
    public int PatchOf(int sequence, int token) => _patches[(sequence * Tokens) + token];

    /// <summary>The first token that stands for a patch, with its sequence; null where none does, because the patch is hidden.</summary>
    public (int Sequence, int Token)? TokenAt(int patch) =>
        Array.IndexOf(_patches, patch) is >= 0 and var at ? (at / Tokens, at % Tokens) : null;

    /// <summary>The weights of a query, one for each token of its sequence: 0 outside its window, 1 in sum.</summary>
    public void Weights(int sequence, int head, int query, Span<double> weights)
    {
        weights.Clear();
        var inWindows = _windows.Length == 0 ? query : _placeInWindows[query];
        int first = inWindows / _window * _window, row = inWindows % _window;
        var q = Vector(_q, sequence, query, head);
        var contextual = Contextual(q);
        var highest = double.NegativeInfinity;
        for (var j = 0; j < _window; j++)
        {
            var key = Key(first, j);
            var k = Vector(_k, sequence, key, head);
            double score = 0;
            for (var d = 0; d < k.Length; d++)
            {
                score += (double)q[d] * k[d];
            }
            score *= _scale;
            score += _bias.Length == 0 ? 0 : _bias[(((head * _window) + row) * _window) + j];
            score += _mask.Length == 0 ? 0 : _mask[(inWindows * _window) + j];
            score += contextual.Length == 0 ? 0 : contextual[_buckets[(row * _window) + j]];
            weights[key] = score;
            highest = Math.Max(highest, score);
        }
        double sum = 0;
        for (var j = 0; j < _window; j++)
        {
            ref var weight = ref weights[Key(first, j)];
            sum += weight = Math.Exp(weight - highest);
        }
        for (var j = 0; j < _window; j++)
        {
            weights[Key(first, j)] /= sum;
        }
    }

    /// <summary>
    /// How far the weights times the values are from what the kernel answered, as a relative L2 norm: whether these are the weights that the
    /// model used.
    /// </summary>
    public double Error()
    {
        var gate = new Lock();
        double off = 0, norm = 0;
        Parallel.For(0, Sequences * Heads, sequenceAndHead =>
        {
            var (sequence, head) = (sequenceAndHead / Heads, sequenceAndHead % Heads);
            double[] weights = new double[Tokens], answer = new double[_headDim];
            double offHere = 0, normHere = 0;
            for (var query = 0; query < Tokens; query++)
            {
                Weights(sequence, head, query, weights);
                answer.AsSpan().Clear();
                for (var key = 0; key < Tokens; key++)
                {
                    var v = Vector(_v, sequence, key, head);
                    for (var d = 0; weights[key] > 0 && d < v.Length; d++)
                    {
                        answer[d] += weights[key] * v[d];
                    }
                }
                var kernel = Vector(_answer, sequence, query, head);
                for (var d = 0; d < answer.Length; d++)
                {
                    offHere += (answer[d] - kernel[d]) * (answer[d] - kernel[d]);
                    normHere += (double)kernel[d] * kernel[d];
                }
            }
            lock (gate)
            {
                (off, norm) = (off + offHere, norm + normHere);
            }
        });
        return Math.Sqrt(off / Math.Max(norm, double.Epsilon));
    }

    /// <summary>The key of a token.</summary>
    internal ReadOnlySpan<float> KeyOf(int sequence, int head, int token) => Vector(_k, sequence, token, head);

    private int Key(int first, int j) => _windows.Length == 0 ? j : _windows[first + j];

    private ReadOnlySpan<float> Vector(float[] of, int sequence, int token, int head) =>
        of.AsSpan(((((sequence * Tokens) + token) * Heads) + head) * _headDim, _headDim);

    // The query's product with each column of the table, without the scale.
    private double[] Contextual(ReadOnlySpan<float> q)
    {
        var buckets = _table.Length / _headDim;
        var products = new double[buckets];
        for (var i = 0; i < _table.Length; i++)
        {
            products[i % buckets] += (double)q[i / buckets] * _table[i];
        }
        return products;
    }

    private int[] PatchesOf(int[] ids)
    {
        var first = HasClassToken ? 1 : 0;
        var inSequence = Tokens - first;
        if (ids.Length != (ids.Length == 0 ? 0 : Sequences * inSequence) || (ids.Length == 0 && inSequence != Rows * Columns))
        {
            throw new InvalidOperationException(
                $"'{Parameters}' has {Tokens} tokens, but says that they stand for {Rows} x {Columns} patches (ids: {ids.Length})");
        }
        var patches = new int[Sequences * Tokens];
        for (var i = 0; i < patches.Length; i++)
        {
            int sequence = i / Tokens, place = (i % Tokens) - first;
            patches[i] = place < 0 ? -1 : ids.Length == 0 ? place : ids[(sequence * inSequence) + place];
        }
        return patches;
    }
}
