using MimNative.Runtime;

namespace MimNative.Nn;

/// <summary>How the weights of linear layers begin: a function of a layer's inputs and outputs.</summary>
public delegate Initializer WeightInit(long inputs, long outputs);

/// <summary>The published ways.</summary>
public static class WeightInits
{
    /// <summary>Uniform in ±sqrt(6 / (inputs + outputs)): MAE and LoMaR.</summary>
    public static WeightInit Xavier { get; } = (inputs, outputs) => new Initializer.XavierUniform(inputs, outputs);

    /// <summary>Normal with deviation 0.02: SimMIM. (Upstream truncates at ±2, a hundred deviations away.)</summary>
    public static WeightInit Normal { get; } = (_, _) => new Initializer.Normal(0.02);

    /// <summary>Uniform in ±1 / sqrt(inputs): what a convolution begins with in PyTorch, SimMIM's head and Swin's patch embedding.</summary>
    public static WeightInit Convolution { get; } = (inputs, _) => new Initializer.Uniform(1 / Math.Sqrt(inputs));

    /// <summary>The normal one divided by sqrt(2 layer), layers counted from 1: the last layers of branches in SimMIM's ViT.</summary>
    public static WeightInit NormalOfLayer(int layer) => (_, _) => new Initializer.Normal(0.02 / Math.Sqrt(2.0 * layer));
}
