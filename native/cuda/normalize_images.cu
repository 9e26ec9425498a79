// Pixels to the values that a network reads, on the GPU: bytes are read once, floats written once.
#include "core/normalized.h"
#include "cuda/gpu.h"

namespace mim::cuda {

namespace {

// Colours, four pixels a thread: three words of bytes, and four neighbours of each of three planes.
__global__ void normalize_colours_kernel(float* y, const uint8_t* x, const float* mean,
                                         const float* std, int64_t count, int64_t plane) {
    constexpr int colours = 3, pixels = 4;
    const int64_t first = (int64_t(blockIdx.x) * block + threadIdx.x) * pixels;
    if (first >= count) return;
    vector<uint8_t, pixels> words[colours];
    for (int i = 0; i < colours; ++i)
        words[i] = load_vector<uint8_t, pixels>(x + first * colours + i * pixels);
    y += first / plane * colours * plane + first % plane;
#pragma unroll
    for (int c = 0; c < colours; ++c) {
        vector<float, pixels> values;
#pragma unroll
        for (int i = 0; i < pixels; ++i) {
            const int at = i * colours + c;
            values[i] = normalized(words[at / pixels][at % pixels], mean[c], std[c]);
        }
        store_vector(y + c * plane, values);
    }
}

// Any number of channels and pixels: one pixel a thread.
__global__ void normalize_kernel(float* y, const uint8_t* x, const float* mean, const float* std,
                                 int64_t count, int64_t plane, int channels) {
    const int64_t i = int64_t(blockIdx.x) * block + threadIdx.x;
    if (i >= count) return;
    y += i / plane * channels * plane + i % plane;
    for (int c = 0; c < channels; ++c)
        y[c * plane] = normalized(x[i * channels + c], mean[c], std[c]);
}

}  // namespace

void gpu::normalize_images(context& ctx, const view& y, const view& x, const view& mean,
                           const view& std) {
    if (ctx.planning()) return;
    const int64_t plane = x.shape[1] * x.shape[2], channels = x.shape[3];
    const int64_t count = x.shape[0] * plane;
    const auto aligned = [](const view& v, uintptr_t bytes) {
        return reinterpret_cast<uintptr_t>(v.data) % bytes == 0;
    };
    if (channels == 3 && plane % 4 == 0 && aligned(x, 4) && aligned(y, 16))
        launch({blocks_for(count / 4, block), block}, normalize_colours_kernel, data<float>(y),
               data<const uint8_t>(x), data<const float>(mean), data<const float>(std), count,
               plane);
    else
        launch({blocks_for(count, block), block}, normalize_kernel, data<float>(y),
               data<const uint8_t>(x), data<const float>(mean), data<const float>(std), count,
               plane, int(channels));
}

}  // namespace mim::cuda
