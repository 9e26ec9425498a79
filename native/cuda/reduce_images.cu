// Images at a lower resolution on the GPU: each thread adds up the block of pixels of one result.
#include "cuda/gpu.h"

namespace mim::cuda {

namespace {

// One thread a result, in their order, so that neighbouring threads read neighbouring runs of
// `factor` pixels; a run is read n pixels at a time. Rows of the block are summed each for itself.
template <int n>
__global__ void reduce_images_kernel(float* y, const float* x, int64_t count, int64_t columns,
                                     int64_t factor) {
    const int64_t i = int64_t(blockIdx.x) * block + threadIdx.x;
    if (i >= count) return;
    const int64_t width = columns * factor;
    x += i / columns * factor * width + i % columns * factor;
    float all = 0;
    for (int64_t row = 0; row < factor; ++row) {
        float sums[n] = {};
        for (int64_t column = 0; column < factor; column += n) {
            const vector<float, n> pixels = load_vector<float, n>(x + row * width + column);
            for (int j = 0; j < n; ++j) sums[j] += pixels[j];
        }
        for (int j = 0; j < n; ++j) all += sums[j];
    }
    y[i] = all * (1.0f / (float(factor) * float(factor)));
}

}  // namespace

void gpu::reduce_images(context& ctx, const view& y, const view& x,
                        const mim_reduce_images_params& params) {
    if (ctx.planning()) return;
    const int64_t count = elements(y), factor = params.factor;
    const auto address = reinterpret_cast<uintptr_t>(x.data);
    const auto fits = [&](int n) { return factor % n == 0 && address % (n * sizeof(float)) == 0; };
    launch({blocks_for(count, block), block},
           fits(4)   ? reduce_images_kernel<4>
           : fits(2) ? reduce_images_kernel<2>
                     : reduce_images_kernel<1>,
           data<float>(y), static_cast<const float*>(data<float>(x)), count, y.shape[3], factor);
}

}  // namespace mim::cuda
