using MimNative.Runtime;

namespace MimNative.Nn;

/// <summary>A convolution of each channel of a token map for itself, with zeros around the map and where tokens are removed.</summary>
public sealed class DepthwiseConv
{
    private readonly Parameter _weight;
    private readonly Parameter _bias;
    private readonly int _kernel;

    /// <summary>A kernel of odd side.</summary>
    public DepthwiseConv(ParameterScope scope, long dim, int kernel, WeightInit init)
    {
        ArgumentNullException.ThrowIfNull(init);
        _kernel = kernel;
        _weight = scope.Add("weight", init(kernel * kernel, 1), trainable: true, dim, 1, kernel, kernel);
        _bias = scope.Add("bias", Initializer.Zeros, trainable: true, dim);
    }

    /// <summary>x: (B, H, W, C); keep: (B, H, W) f32, 0 where the input is taken for zero, or absent.</summary>
    public Tensor Forward(Tensor x, Tensor keep, Step step) =>
        Ops.DepthwiseConv(x, _weight.ValueAs(-1, _kernel, _kernel), _bias.Value, keep, step);

    /// <summary>The gradient of x.</summary>
    public Tensor Backward(Tensor dy, Tensor x, Tensor keep, Step step) => Ops.DepthwiseConvBackward(
        dy, x, _weight.ValueAs(-1, _kernel, _kernel), keep, _weight.GradAs(-1, _kernel, _kernel), _bias.Grad, step);
}
