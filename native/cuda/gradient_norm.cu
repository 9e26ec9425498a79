// Gradient norm on the GPU: one read of the gradients. Runs of fixed size are summed by a block
// each in double, then one block adds their sums; both in an order that the length alone decides.
#include "cuda/gpu.h"
#include "cuda/reduce.h"
#include "cuda/vectors.h"

namespace mim::cuda {

namespace {

constexpr unsigned last_block = 1024;
constexpr int64_t run_elements = 16384;

// grid ceil(count / 16384), block 256: a warp reads 32 neighbouring pieces of n floats, n 4 or 1.
// `partial[i]` becomes the sum of squares of run i.
template <int n>
__global__ void __launch_bounds__(block)
    sum_of_squares_kernel(double* partial, const float* grad, int64_t count) {
    block_memory memory;
    const int64_t begin = blockIdx.x * run_elements;
    const int length = int(count - begin < run_elements ? count - begin : run_elements);
    const float* run = grad + begin;
    double sums[n] = {};
    const int whole = length / n * n;
    for (int i = int(threadIdx.x) * n; i < whole; i += int(block) * n) {
        float values[n];
        load_floats(values, run + i);
        for (int j = 0; j < n; ++j) sums[j] += double(values[j]) * double(values[j]);
    }
    if (int(threadIdx.x) < length - whole) {
        const double left = double(run[whole + int(threadIdx.x)]);
        sums[0] += left * left;
    }
    double sum = sums[0];
    for (int j = 1; j < n; ++j) sum += sums[j];
    sum = block_sum(sum, memory);
    if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

// One block of 1024.
__global__ void __launch_bounds__(last_block)
    root_of_sum_kernel(float* norm, const double* partial, int64_t count) {
    block_memory memory;
    double sum = 0;
    for (int64_t i = threadIdx.x; i < count; i += last_block) sum += partial[i];
    sum = block_sum(sum, memory);
    if (threadIdx.x == 0) *norm = float(sqrt(sum));
}

}  // namespace

void gpu::gradient_norm(context& ctx, const view& norm, const view& grad) {
    const int64_t count = elements(grad);
    const unsigned runs = blocks_for(count, run_elements);
    double* partial = ctx.scratch<double>(runs);
    if (ctx.planning()) return;
    const launch_shape first = {runs, block, shared_bytes<double>(block / 32)};
    if (aligned_to_vectors({grad.data}))
        launch(first, sum_of_squares_kernel<4>, partial, data<float>(grad), count);
    else
        launch(first, sum_of_squares_kernel<1>, partial, data<float>(grad), count);
    launch({1u, last_block, shared_bytes<double>(last_block / 32)}, root_of_sum_kernel,
           data<float>(norm), partial, int64_t(runs));
}

}  // namespace mim::cuda
