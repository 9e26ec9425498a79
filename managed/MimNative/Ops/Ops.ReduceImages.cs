using MimNative.Interop;
using MimNative.Runtime;

namespace MimNative;

public static unsafe partial class Ops
{
    /// <summary>
    /// Images (B, C, H, W) at a lower resolution: the mean of each block of factor x factor pixels. Returns
    /// (B, C, H / factor, W / factor); factor divides both. No gradient.
    /// </summary>
    public static Tensor ReduceImages(Tensor images, int factor, Step step)
    {
        var y = step.Empty(DType.F32, images[0], images[1], images[2] / factor, images[3] / factor);
        var parameters = new mim_reduce_images_params { size = sizeof(mim_reduce_images_params), factor = factor };
        Mim.mim_reduce_images(step.Native, View(&y), View(&images), &parameters);
        return y;
    }
}
