// Random numbers on the GPU: every value is a function of its own number.
#include "core/random.h"

#include "cuda/gpu.h"

namespace mim::cuda {

namespace {

// What is new in every step or epoch lies on the device: a recorded launch keeps its arguments.
struct random_draw {
    int64_t seed, epoch;
};

// One thread makes the four values of one Philox block.
__global__ void random_uniform_kernel(float* values, const int64_t* samples, int64_t rows,
                                      int64_t count, const random_draw* draw, int32_t stream) {
    const int64_t blocks_per_row = (count + 3) / 4;
    const int64_t i = int64_t(blockIdx.x) * block + threadIdx.x;
    if (i >= rows * blocks_per_row) return;
    const int64_t row = i / blocks_per_row, number = i % blocks_per_row;
    const philox_counter words =
        random_block(number, samples[row], draw->seed, draw->epoch, stream);
    for (int64_t j = 0; j < 4 && number * 4 + j < count; ++j)
        values[row * count + number * 4 + j] = uniform(words[size_t(j)]);
}

}  // namespace

void gpu::random_uniform(context& ctx, const view& y, const view& samples,
                         const mim_random_params& params) {
    random_draw* draw = ctx.scratch<random_draw>(1);
    if (ctx.planning()) return;
    const random_draw numbers = {params.seed, params.epoch};
    copy_dense(draw, &numbers, sizeof numbers, true);
    const int64_t rows = y.shape[0], count = y.shape[1];
    launch({blocks_for(rows * ((count + 3) / 4), block), block}, random_uniform_kernel,
           data<float>(y), static_cast<const int64_t*>(data<int64_t>(samples)), rows, count,
           static_cast<const random_draw*>(draw), params.stream);
}

}  // namespace mim::cuda
