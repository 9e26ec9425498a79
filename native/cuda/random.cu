// Random numbers on the GPU: every value is a function of its own number.
#include "core/random.h"

#include "cuda/gpu.h"

namespace mim::cuda {

namespace {

constexpr unsigned block = 256;

// One thread makes the four values of one Philox block.
__global__ void random_uniform_kernel(float* values, const int64_t* samples, int64_t rows,
                                      int64_t count, int64_t seed, int64_t epoch, int32_t stream) {
    const int64_t blocks_per_row = (count + 3) / 4;
    const int64_t i = int64_t(blockIdx.x) * block + threadIdx.x;
    if (i >= rows * blocks_per_row) return;
    const int64_t row = i / blocks_per_row, number = i % blocks_per_row;
    const philox_counter words = random_block(number, samples[row], seed, epoch, stream);
    for (int64_t j = 0; j < 4 && number * 4 + j < count; ++j)
        values[row * count + number * 4 + j] = uniform(words[size_t(j)]);
}

}  // namespace

void gpu::random_uniform(context& ctx, const view& y, const view& samples,
                         const mim_random_params& params) {
    if (ctx.planning()) return;
    const int64_t rows = y.shape[0], count = y.shape[1];
    launch({blocks_for(rows * ((count + 3) / 4), block), block}, random_uniform_kernel,
           data<float>(y), static_cast<const int64_t*>(data<int64_t>(samples)), rows, count,
           params.seed, params.epoch, params.stream);
}

}  // namespace mim::cuda
