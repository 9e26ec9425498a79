// Sum of two tensors on the GPU, two reads and one write of each element.
#include "cuda/gpu.h"
#include "cuda/vectors.h"

namespace mim::cuda {

namespace {

constexpr int add_steps = 2;  // of a thread, whose loads come first: 64 bytes under way

// grid ceil(count / (512 n)), block 256: a thread takes n neighbouring elements, 16 bytes or one,
// two times; those of a warp lie next to each other. A thread whose n are cut takes them one by
// one.
template <class T, int n>
__global__ void __launch_bounds__(block) add_kernel(T* y, const T* a, const T* b, int64_t count) {
    const int64_t first = (int64_t(blockIdx.x) * add_steps * block + threadIdx.x) * n;
    float sums[add_steps][n], others[add_steps][n];
#pragma unroll
    for (int k = 0; k < add_steps; ++k) {
        const int64_t i = first + int64_t(k) * block * n;
        if (i + n <= count) {
            load_floats(sums[k], a + i);
            load_floats(others[k], b + i);
        }
    }
#pragma unroll
    for (int k = 0; k < add_steps; ++k) {
        const int64_t i = first + int64_t(k) * block * n;
        if (i + n <= count) {
#pragma unroll
            for (int j = 0; j < n; ++j) sums[k][j] += others[k][j];
            store_floats(y + i, sums[k]);
        } else {
            for (int64_t j = i; j < count; ++j) y[j] = T(float(a[j]) + float(b[j]));
        }
    }
}

}  // namespace

void gpu::add(context& ctx, const view& y, const view& a, const view& b) {
    if (ctx.planning()) return;
    const int64_t count = elements(a);
    dispatch_dtype(a.dtype, [&](auto tag) {
        using T = decltype(tag);
        const auto run = [&](auto kernel, int n) {
            launch({blocks_for(count, int64_t(block) * add_steps * n), block}, kernel, data<T>(y),
                   data<T>(a), data<T>(b), count);
        };
        if (aligned_to_vectors({y.data, a.data, b.data}))
            run(add_kernel<T, per_vector<T>>, per_vector<T>);
        else
            run(add_kernel<T, 1>, 1);
    });
}

}  // namespace mim::cuda
