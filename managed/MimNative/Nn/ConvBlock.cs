using MimNative.Runtime;

namespace MimNative.Nn;

/// <summary>
/// ConvMAE's convolutional block (Gao et al. 2022, section 3.1), a transformer block whose attention is a depthwise convolution of 5 x 5:
/// y = x + conv2(depthwise(keep conv1(LN1 x))); z = y + mlp(LN2 y). conv1, conv2 and the perceptron's layers are 1 x 1. Removed tokens
/// reach the others by the depthwise convolution alone, so its input alone is masked.
/// </summary>
public sealed class ConvBlock
{
    private const int Kernel = 5;

    private readonly LayerNorm _norm1;
    private readonly Linear _conv1;
    private readonly DepthwiseConv _depthwise;
    private readonly Linear _conv2;
    private readonly LayerNorm _norm2;
    private readonly Mlp _mlp;
    private readonly (int Rows, int Columns) _map;
    private readonly long _dim;

    /// <summary>A block over maps of rows x columns tokens.</summary>
    public ConvBlock(ParameterScope scope, int rows, int columns, long dim, double mlpRatio, float eps, WeightInit init)
    {
        _map = (rows, columns);
        _dim = dim;
        _norm1 = new LayerNorm(scope["norm1"], dim, eps);
        _conv1 = new Linear(scope["conv1"], dim, dim, init, isConvolution: true);
        _depthwise = new DepthwiseConv(scope["attn"], dim, Kernel, init);
        _conv2 = new Linear(scope["conv2"], dim, dim, init, isConvolution: true);
        _norm2 = new LayerNorm(scope["norm2"], dim, eps);
        _mlp = new Mlp(scope["mlp"], dim, (long)(dim * mlpRatio), init, isConvolution: true);
    }

    /// <summary>x: (B L, C), the tokens of B maps.</summary>
    /// <param name="x">The stream; what it adds up to is kept.</param>
    /// <param name="keep">(B, H, W) f32: 0 where a token is removed; absent where none is.</param>
    /// <param name="branch">(B L, C): where the perceptron's branch is written. It may be x's branch.</param>
    /// <param name="step">The step.</param>
    /// <param name="saved">What Backward needs.</param>
    public Residual Forward(Residual x, Tensor keep, Tensor branch, Step step, out Saved saved)
    {
        ArgumentNullException.ThrowIfNull(step);
        using var temporaries = step.Temporaries();
        var normed = _norm1.Forward(x, step, out var norm1);
        var a = step.TemporaryLike(branch);
        Tensor mixed, convolved;
        using (step.Temporaries(all: step.Recompute))
        {
            (mixed, convolved) = Convolve(normed, keep, step);
            _conv2.Forward(a, convolved, step);
        }
        var normed2 = _norm2.Forward(new Residual(norm1.Sum, a), step, out var norm2);
        using (step.Temporaries(all: step.Recompute))
        {
            saved = new Saved(norm1, mixed, convolved, norm2, _mlp.Forward(branch, normed2, step));
        }
        return new Residual(norm2.Sum, branch);
    }

    /// <summary>The gradient of x's sum from the gradient of z, which it overwrites.</summary>
    public Tensor Backward(Tensor dz, Tensor keep, in Saved saved, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        Tensor dy;
        using (step.Temporaries(all: true))
        {
            var normed2 = _norm2.Again(saved.Norm2, step);
            var mlp = step.Recompute ? _mlp.Again(normed2, step) : saved.Mlp with { X = normed2 };
            dy = _norm2.Backward(_mlp.Backward(dz, mlp, step), dz, saved.Norm2, step);
        }
        using (step.Temporaries(all: true))
        {
            var normed = _norm1.Again(saved.Norm1, step);
            var (mixed, convolved) = step.Recompute ? Convolve(normed, keep, step) : (saved.Mixed, saved.Convolved);
            var dconvolved = _conv2.Backward(dy, new Linear.Saved(convolved), step);
            var dmixed = _depthwise.Backward(Map(dconvolved), Map(mixed), keep, step).Rows();
            return _norm1.Backward(_conv1.Backward(dmixed, new Linear.Saved(normed), step), dy, saved.Norm1, step);
        }
    }

    // conv1(normed), and the depthwise convolution of it.
    private (Tensor Mixed, Tensor Convolved) Convolve(Tensor normed, Tensor keep, Step step)
    {
        var mixed = _conv1.Forward(normed, step, out _);
        return (mixed, _depthwise.Forward(Map(mixed), keep, step).Rows());
    }

    private Tensor Map(Tensor tokens) => tokens.Reshape(-1, _map.Rows, _map.Columns, _dim);

    /// <summary>
    /// What Backward needs from Forward, 8 C for a token: two sums, what goes into the depthwise convolution and comes out, the
    /// perceptron's 4 C. With <see cref="Step.Recompute"/> the two sums alone are kept, 2 C.
    /// </summary>
    public readonly record struct Saved(
        LayerNorm.Saved Norm1, Tensor Mixed, Tensor Convolved, LayerNorm.Saved Norm2, Mlp.Saved Mlp);
}
