// The ceiling of the GPU: register loops for the arithmetic, streams through memory for the rest,
// each timed by the device. Loops last about two milliseconds at the device's clock.
#include <algorithm>
#include <memory>

#include "cuda/gpu.h"
#include "cuda/vectors.h"

namespace mim::cuda {

namespace {

constexpr int64_t threads_per_multiprocessor = 2048;
constexpr int repetitions = 7;
constexpr double loop_seconds = 2e-3;

// Eight chains a thread, each sum 1 - 2^-23 of the one before plus a term: nothing overflows, and no
// compiler joins chains that begin apart. One round is 128 operations of two.
constexpr int chains = 8, steps = 16;

__global__ void f32_kernel(float* sink, float factor, float term, int64_t rounds) {
    float sums[chains];
    for (int i = 0; i < chains; ++i) sums[i] = term * float(i + 1) + float(threadIdx.x);
    for (int64_t round = 0; round < rounds; ++round)
#pragma unroll
        for (int step = 0; step < steps; ++step)
#pragma unroll
            for (int i = 0; i < chains; ++i) sums[i] = fmaf(sums[i], factor, term);
    float total = 0;
    for (int i = 0; i < chains; ++i) total += sums[i];
    sink[blockIdx.x * block + threadIdx.x] = total;
}

// The same with products of (16, 16) and (16, 8) matrices, four chains a warp.
constexpr int matrix_chains = 4, matrix_steps = 4;
constexpr int64_t warps_per_multiprocessor = 16;

__global__ void bf16_kernel(float* sink, float value, int64_t rounds) {
    const float own = value * float(threadIdx.x + 1);
    const uint32_t a[4] = {pack(own, value), pack(value, own), pack(own, own), pack(value, value)};
    const uint32_t b[2] = {pack(own, -value), pack(-value, own)};
    float c[matrix_chains][4];
    for (int i = 0; i < matrix_chains; ++i)
        for (int j = 0; j < 4; ++j) c[i][j] = own * float(i + 1);
    for (int64_t round = 0; round < rounds; ++round)
#pragma unroll
        for (int step = 0; step < matrix_steps; ++step)
#pragma unroll
            for (int i = 0; i < matrix_chains; ++i) multiply_add(c[i], a, b);
    float total = 0;
    for (int i = 0; i < matrix_chains; ++i)
        for (int j = 0; j < 4; ++j) total += c[i][j];
    sink[blockIdx.x * block + threadIdx.x] = total;
}

// Streams: all threads of the grid go through it side by side, four vectors under way in each.
constexpr int under_way = 4;

// Calls body(i, stride) for what each thread has under way: the vectors at i + j stride.
template <class Body>
__device__ void each_vector(int64_t floats_count, Body&& body) {
    const int64_t stride = int64_t(gridDim.x) * block * 4;
    for (int64_t i = (int64_t(blockIdx.x) * block + threadIdx.x) * 4; i < floats_count;
         i += under_way * stride)
        body(i, stride);
}

__device__ void load_all(vector<float, 4> (&v)[under_way], const float* x, int64_t i,
                         int64_t stride, int64_t count) {
#pragma unroll
    for (int j = 0; j < under_way; ++j)
        if (i + j * stride < count) v[j] = load_vector<float, 4>(x + i + j * stride);
}
__device__ void store_all(float* x, const vector<float, 4> (&v)[under_way], int64_t i,
                          int64_t stride, int64_t count) {
#pragma unroll
    for (int j = 0; j < under_way; ++j)
        if (i + j * stride < count) store_vector(x + i + j * stride, v[j]);
}

__global__ void read_kernel(float* sink, const float* x, int64_t count) {
    float sum = 0;
    each_vector(count, [&](int64_t i, int64_t stride) {
        vector<float, 4> v[under_way] = {};
        load_all(v, x, i, stride, count);
#pragma unroll
        for (int j = 0; j < under_way; ++j) sum += v[j][0] + v[j][1] + v[j][2] + v[j][3];
    });
    sink[blockIdx.x * block + threadIdx.x] = sum;
}

__global__ void update_kernel(float* x, float scale, int64_t count) {
    each_vector(count, [&](int64_t i, int64_t stride) {
        vector<float, 4> v[under_way] = {};
        load_all(v, x, i, stride, count);
#pragma unroll
        for (int j = 0; j < under_way; ++j)
            for (int k = 0; k < 4; ++k) v[j][k] *= scale;
        store_all(x, v, i, stride, count);
    });
}

__global__ void triad_kernel(float* a, const float* b, const float* c, float scale, int64_t count) {
    each_vector(count, [&](int64_t i, int64_t stride) {
        vector<float, 4> v[under_way] = {}, w[under_way] = {};
        load_all(v, b, i, stride, count);
        load_all(w, c, i, stride, count);
#pragma unroll
        for (int j = 0; j < under_way; ++j)
            for (int k = 0; k < 4; ++k) v[j][k] = fmaf(scale, w[j][k], v[j][k]);
        store_all(a, v, i, stride, count);
    });
}

}  // namespace

void gpu::measure_ceiling(context& ctx, mim_ceiling& ceiling) {
    if (ctx.planning()) return;
    require_no_step("measuring the device");
    const int64_t sinks = properties_.multiprocessors * threads_per_multiprocessor;
    const int64_t stream_floats = properties_.cache_bytes;  // four times the cache
    const std::unique_ptr<void, void (*)(void*)> memory(
        allocate_device((sinks + 3 * stream_floats) * int64_t(sizeof(float))), release_device);
    float *const sink = static_cast<float*>(memory.get()), *const x = sink + sinks;
    const auto begin = make_event(), end = make_event();
    const auto best_rate = [&](double amount, auto&& work) {
        double best = 0;
        for (int i = 0; i < repetitions; ++i) {
            begin->record();
            work();
            end->record();
            best = std::max(best, amount / end->seconds_since(*begin));
        }
        return float(best / 1e9);
    };
    // of loops that take so many cycles a round
    const auto rounds_of = [&](double cycles) {
        return std::max<int64_t>(1, int64_t(loop_seconds * properties_.clock_hertz / cycles));
    };
    const unsigned grid = unsigned(sinks / block);

    constexpr double lanes = 128, tensor_operations = 2048;  // a cycle, of one multiprocessor
    const double f32_round = double(threads_per_multiprocessor) * steps * chains;
    const int64_t f32_rounds = rounds_of(f32_round / lanes);
    ceiling.f32_gflops =
        best_rate(2 * f32_round * double(f32_rounds) * properties_.multiprocessors, [&] {
            launch({grid, block}, f32_kernel, sink, 0.99999988f, 1e-6f, f32_rounds);
        });

    const double bf16_round =
        double(warps_per_multiprocessor) * matrix_steps * matrix_chains * 16 * 8 * 16;
    const int64_t bf16_rounds = rounds_of(bf16_round / tensor_operations);
    ceiling.bf16_gflops =
        best_rate(2 * bf16_round * double(bf16_rounds) * properties_.multiprocessors, [&] {
            launch({unsigned(properties_.multiprocessors * warps_per_multiprocessor * 32 / block),
                    block},
                   bf16_kernel, sink, 1e-3f, bf16_rounds);
        });

    const double bytes = double(stream_floats) * sizeof(float);
    ceiling.read_gbytes = best_rate(3 * bytes, [&] {
        launch({grid, block}, read_kernel, sink, static_cast<const float*>(x), 3 * stream_floats);
    });
    ceiling.update_gbytes = best_rate(6 * bytes, [&] {
        launch({grid, block}, update_kernel, x, 0.5f, 3 * stream_floats);
    });
    ceiling.triad_gbytes = best_rate(3 * bytes, [&] {
        launch({grid, block}, triad_kernel, x, static_cast<const float*>(x + stream_floats),
               static_cast<const float*>(x + 2 * stream_floats), 3.0f, stream_floats);
    });
}

}  // namespace mim::cuda
