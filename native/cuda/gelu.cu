// Exact GELU on the GPU, one read and one write of each element.
#include "cuda/gelu.h"

#include "cuda/vectors.h"

namespace mim::cuda {

namespace {

constexpr int most_steps = 4;  // of a thread, whose loads come first: 64 bytes under way

// grid ceil(count / (1024 n)), block 256: a thread takes n neighbouring elements, 16 bytes or one,
// four times (backward, which reads twice as much, two times, in a grid twice as large); those of a
// warp lie next to each other. A thread whose n are cut takes them one by one.
template <class T, int n>
__global__ void __launch_bounds__(block) gelu_forward_kernel(T* y, const T* x, int64_t count) {
    constexpr int steps = most_steps;
    const int64_t first = (int64_t(blockIdx.x) * steps * block + threadIdx.x) * n;
    float values[steps][n];
#pragma unroll
    for (int k = 0; k < steps; ++k) {
        const int64_t i = first + int64_t(k) * block * n;
        if (i + n <= count) load_floats(values[k], x + i);
    }
#pragma unroll
    for (int k = 0; k < steps; ++k) {
        const int64_t i = first + int64_t(k) * block * n;
        if (i + n <= count) {
#pragma unroll
            for (int j = 0; j < n; ++j) values[k][j] = gelu_both(values[k][j]).value;
            store_floats(y + i, values[k]);
        } else {
            for (int64_t j = i; j < count; ++j) y[j] = T(gelu_both(float(x[j])).value);
        }
    }
}

template <class T, int n>
__global__ void __launch_bounds__(block)
    gelu_backward_kernel(T* dx, const T* dy, const T* x, int64_t count) {
    constexpr int steps = most_steps / 2;
    const int64_t first = (int64_t(blockIdx.x) * steps * block + threadIdx.x) * n;
    float values[steps][n], gradients[steps][n];
#pragma unroll
    for (int k = 0; k < steps; ++k) {
        const int64_t i = first + int64_t(k) * block * n;
        if (i + n <= count) {
            load_floats(values[k], x + i);
            load_floats(gradients[k], dy + i);
        }
    }
#pragma unroll
    for (int k = 0; k < steps; ++k) {
        const int64_t i = first + int64_t(k) * block * n;
        if (i + n <= count) {
#pragma unroll
            for (int j = 0; j < n; ++j) gradients[k][j] *= gelu_both(values[k][j]).derivative;
            store_floats(dx + i, gradients[k]);
        } else {
            for (int64_t j = i; j < count; ++j)
                dx[j] = T(float(dy[j]) * gelu_both(float(x[j])).derivative);
        }
    }
}

}  // namespace

void run_gelu(gpu& device, int32_t dtype, void* y, const void* x, int64_t count) {
    dispatch_dtype(dtype, [&](auto tag) {
        using T = decltype(tag);
        const auto run = [&](auto kernel, int n) {
            device.launch({blocks_for(count, int64_t(block) * most_steps * n), block}, kernel,
                          static_cast<T*>(y), static_cast<const T*>(x), count);
        };
        if (aligned_to_vectors({y, x}))
            run(gelu_forward_kernel<T, per_vector<T>>, per_vector<T>);
        else
            run(gelu_forward_kernel<T, 1>, 1);
    });
}

void gpu::gelu_forward(context& ctx, const view& y, const view& x) {
    if (!ctx.planning()) run_gelu(*this, x.dtype, y.data, x.data, elements(x));
}

void gpu::gelu_backward(context& ctx, const view& dx, const view& dy, const view& x) {
    if (ctx.planning()) return;
    const int64_t count = elements(x);
    dispatch_dtype(x.dtype, [&](auto tag) {
        using T = decltype(tag);
        const auto run = [&](auto kernel, int n) {
            launch({blocks_for(count, int64_t(block) * (most_steps / 2) * n), block}, kernel,
                   data<T>(dx), data<T>(dy), data<T>(x), count);
        };
        if (aligned_to_vectors({dx.data, dy.data, x.data}))
            run(gelu_backward_kernel<T, per_vector<T>>, per_vector<T>);
        else
            run(gelu_backward_kernel<T, 1>, 1);
    });
}

}  // namespace mim::cuda
