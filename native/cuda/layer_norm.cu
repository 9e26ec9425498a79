// LayerNorm with the residual addition before it: a warp a row. Rows of up to 2048 columns stay in
// the registers of their warp, so that memory is read and written once; wider ones, and those that
// vectors do not fit, are read again for each walk.
//
// Rows may lie far from zero (mean 10, deviation 0.01), where the mean as a float is already off by
// 1e-4 deviations. So values are centred before they are summed, and what rounding left of the mean
// (`rest`, the average of x - mean) is taken off again wherever x - mean is used: forward and
// backward alike.
#include <algorithm>
#include <type_traits>

#include "cuda/column_sums.h"
#include "cuda/gpu.h"
#include "cuda/reduce.h"
#include "cuda/vectors.h"

namespace mim::cuda {

namespace {

// A row in the registers of a warp: `vectors` times 16 bytes a lane, those of neighbouring lanes
// neighbours in memory. walk calls body(number of the vector, its first column, its values).
template <class T, int vectors>
class row_in_registers {
public:
    static constexpr int width = per_vector<T>;
    __device__ explicit row_in_registers(int64_t cols)
        : cols_(int(cols)), lane_(int(threadIdx.x % 32)) {}

    __device__ void load(const T* from) {
#pragma unroll
        for (int v = 0; v < vectors; ++v)
            if (column(v) < cols_) raw_[v] = load_raw(from + column(v));
    }
    // x + branch in the storage type, so that statistics are those of the values that backward sees
    __device__ void load_sum(T* sum, const T* x, const T* branch) {
        load(x);
#pragma unroll
        for (int v = 0; v < vectors; ++v)
            if (column(v) < cols_) {
                float a[width], b[width];
                to_floats<T>(a, raw_[v]);
                load_floats(b, branch + column(v));
#pragma unroll
                for (int i = 0; i < width; ++i) a[i] += b[i];
                raw_[v] = to_raw<T>(a);
                store_raw(sum + column(v), raw_[v]);
            }
    }
    __device__ float first() const {
        float values[width];
        to_floats<T>(values, raw_[0]);
        return shuffle(values[0], 0);
    }
    template <class Body>
    __device__ void walk(Body body) const {
#pragma unroll
        for (int v = 0; v < vectors; ++v)
            if (column(v) < cols_) {
                float values[width];
                to_floats<T>(values, raw_[v]);
                body(v, column(v), values);
            }
    }
    __device__ void get(float (&values)[width], int v, int) const {
        to_floats<T>(values, raw_[v]);
    }

private:
    __device__ int column(int v) const {
        return (v * 32 + lane_) * width;
    }
    int cols_, lane_;
    raw_vector raw_[vectors] = {};
};

// The same of a row that stays where it is, one value at a time.
template <class T>
class row_in_memory {
public:
    static constexpr int width = 1;
    __device__ explicit row_in_memory(int64_t cols)
        : cols_(int(cols)), lane_(int(threadIdx.x % 32)) {}

    __device__ void load(const T* from) { from_ = from; }
    __device__ void load_sum(T* sum, const T* x, const T* branch) {
        for (int c = lane_; c < cols_; c += 32) sum[c] = T(float(x[c]) + float(branch[c]));
        wait_warp();  // all lanes read the first value
        from_ = sum;
    }
    __device__ float first() const { return float(from_[0]); }
    template <class Body>
    __device__ void walk(Body body) const {
        for (int c = lane_; c < cols_; c += 32) {
            const float values[1] = {float(from_[c])};
            body(0, c, values);
        }
    }
    __device__ void get(float (&values)[1], int, int column) const {
        values[0] = float(from_[column]);
    }

private:
    int cols_, lane_;
    const T* from_ = nullptr;
};

template <class T, int vectors>
using row_of = std::conditional_t<vectors == 0, row_in_memory<T>, row_in_registers<T, vectors>>;

constexpr unsigned warps = 4;

// y = (s - centre - rest) rstd gamma + beta, the end of forward
template <class T, class Row>
__device__ void normalise_row(T* y, const Row& row, float centre, float rest, float rstd,
                              const float* gamma, const float* beta) {
    row.walk([&](int, int c, const auto& s) {
        float g[Row::width], b[Row::width];
        load_floats(g, gamma + c);
        load_floats(b, beta + c);
#pragma unroll
        for (int i = 0; i < Row::width; ++i) g[i] = (s[i] - centre - rest) * rstd * g[i] + b[i];
        store_floats(y + c, g);
    });
}

// grid ceil(rows / 4), block 128.
template <class T, int vectors>
__global__ void __launch_bounds__(warps * 32)
    layer_norm_forward_kernel(T* y, T* sum, float* mean, float* rstd, const T* x, const T* branch,
                              const float* gamma, const float* beta, int64_t rows, int64_t cols,
                              float eps) {
    const int64_t r = int64_t(blockIdx.x) * warps + threadIdx.x / 32;
    if (r >= rows) return;
    row_of<T, vectors> row(cols);
    if (branch == nullptr)
        row.load(x + r * cols);
    else
        row.load_sum(sum + r * cols, x + r * cols, branch + r * cols);

    constexpr int width = row_of<T, vectors>::width;
    const float per_column = 1.0f / float(cols);
    // a value of the row: closer to its mean than 0 when the row lies far away
    const float start = row.first();
    float shifted = 0;
    row.walk([&](int, int, const auto& s) {
#pragma unroll
        for (int i = 0; i < width; ++i) shifted += s[i] - start;
    });
    const float centre = start + warp_sum(shifted) * per_column;
    float rests = 0, squares = 0;
    row.walk([&](int, int, const auto& s) {
#pragma unroll
        for (int i = 0; i < width; ++i) {
            const float e = s[i] - centre;
            rests += e;
            squares += e * e;
        }
    });
    const float rest = warp_sum(rests) * per_column;
    const float variance = fmaxf(0.0f, warp_sum(squares) * per_column - rest * rest);
    const float scale = 1.0f / sqrtf(variance + eps);
    if (threadIdx.x % 32 == 0) {
        mean[r] = centre + rest;
        rstd[r] = scale;
    }
    normalise_row(y + r * cols, row, centre, rest, scale, gamma, beta);
}

// The same launch.
template <class T, int vectors>
__global__ void __launch_bounds__(warps * 32)
    layer_norm_again_kernel(T* y, const T* sum, const float* mean, const float* rstd,
                            const float* gamma, const float* beta, int64_t rows, int64_t cols) {
    const int64_t r = int64_t(blockIdx.x) * warps + threadIdx.x / 32;
    if (r >= rows) return;
    row_of<T, vectors> row(cols);
    row.load(sum + r * cols);
    const float centre = mean[r];
    float rests = 0;
    row.walk([&](int, int, const auto& s) {
#pragma unroll
        for (int i = 0; i < row_of<T, vectors>::width; ++i) rests += s[i] - centre;
    });
    const float rest = warp_sum(rests) / float(cols);
    normalise_row(y + r * cols, row, centre, rest, rstd[r], gamma, beta);
}

// Sums of columns over the rows that a warp takes: each lane has those of its own columns.
template <int vectors, int width>
class sums_in_registers {
public:
    __device__ explicit sums_in_registers(float*, int64_t) {}
    __device__ void add(int v, int, int i, float value) { sums_[v][i] += value; }
    // The warps of the block, in their order, become one part. All threads call it.
    __device__ void finish(float* part, float* shared, int64_t cols) const {
        const int lane = int(threadIdx.x % 32), warp = int(threadIdx.x / 32);
        wait_block();  // the sums before these have been read
#pragma unroll
        for (int v = 0; v < vectors; ++v) {
            const int c = (v * 32 + lane) * width;
            if (c < cols)
#pragma unroll
                for (int i = 0; i < width; i += 4)
                    store_vector(shared + warp * cols + c + i,
                                 vector<float, 4>{{sums_[v][i], sums_[v][i + 1], sums_[v][i + 2],
                                                   sums_[v][i + 3]}});
        }
        wait_block();
        for (int64_t c = threadIdx.x; c < cols; c += warps * 32) {
            float sum = shared[c];
            for (unsigned w = 1; w < warps; ++w) sum += shared[w * cols + c];
            part[c] = sum;
        }
    }

private:
    float sums_[vectors][width] = {};
};

// The same in the part itself, where a block is one warp.
class sums_in_memory {
public:
    __device__ sums_in_memory(float* part, int64_t cols) : part_(part) {
        for (int64_t c = threadIdx.x; c < cols; c += 32) part_[c] = 0;
    }
    __device__ void add(int, int column, int, float value) { part_[column] += value; }

private:
    float* part_;
};

template <int vectors, int width>
using sums_of = std::conditional_t<vectors == 0, sums_in_memory, sums_in_registers<vectors, width>>;

constexpr unsigned warps_of_backward(int vectors) {
    return vectors == 0 ? 1 : warps;
}
// Blocks that a multiprocessor holds at once; a row of more vectors needs more registers.
constexpr unsigned blocks_of_backward(int vectors) {
    return vectors <= 4 ? 3 : 2;
}

// grid (parts), block 128 (32 for rows in memory): the warps of the grid take row after row. With
// hat = (sum - mean) rstd and g = dy gamma:  dx = dsum + rstd (g - avg(g) - hat avg(g hat)).
// One walk gathers avg(g hat) before `rest` is known: with e = sum - mean, sum g (e - rest) = sum g
// e - rest sum g.
template <class T, int vectors>
__global__ void __launch_bounds__(warps * 32, blocks_of_backward(vectors))
    layer_norm_backward_kernel(T* dx, float* gamma_parts, float* beta_parts, const T* dy,
                               const T* dsum, const T* sum, const float* mean, const float* rstd,
                               const float* gamma, int64_t rows, int64_t cols) {
    using row_type = row_of<T, vectors>;
    constexpr int width = row_type::width;
    constexpr unsigned warps_here = warps_of_backward(vectors);
    const float per_column = 1.0f / float(cols);
    float *gamma_part = gamma_parts + blockIdx.x * cols,
          *beta_part = beta_parts + blockIdx.x * cols;
    sums_of<vectors, width> dgamma(gamma_part, cols), dbeta(beta_part, cols);
    const int64_t step = int64_t(gridDim.x) * warps_here;
    for (int64_t r = int64_t(blockIdx.x) * warps_here + threadIdx.x / 32; r < rows; r += step) {
        row_type s_row(cols), dy_row(cols), dsum_row(cols);
        s_row.load(sum + r * cols);
        dy_row.load(dy + r * cols);
        if (dsum != nullptr) dsum_row.load(dsum + r * cols);
        const float centre = mean[r], scale = rstd[r];
        float rests = 0, g_sum = 0, ge_sum = 0;
        s_row.walk([&](int v, int c, const auto& s) {
            float g[width], dy_c[width];
            load_floats(g, gamma + c);
            dy_row.get(dy_c, v, c);
#pragma unroll
            for (int i = 0; i < width; ++i) {
                const float e = s[i] - centre;
                g[i] *= dy_c[i];
                rests += e;
                g_sum += g[i];
                ge_sum += g[i] * e;
            }
        });
        const float rest = warp_sum(rests) * per_column, average_g = warp_sum(g_sum) * per_column;
        const float average_g_hat = scale * (warp_sum(ge_sum) * per_column - rest * average_g);
        s_row.walk([&](int v, int c, const auto& s) {
            float g[width], dy_c[width], add[width] = {};
            load_floats(g, gamma + c);
            dy_row.get(dy_c, v, c);
            if (dsum != nullptr) dsum_row.get(add, v, c);
#pragma unroll
            for (int i = 0; i < width; ++i) {
                const float hat = (s[i] - centre - rest) * scale;
                add[i] += scale * (g[i] * dy_c[i] - average_g - hat * average_g_hat);
                dgamma.add(v, c, i, dy_c[i] * hat);
                dbeta.add(v, c, i, dy_c[i]);
            }
            store_floats(dx + r * cols + c, add);
        });
    }
    if constexpr (vectors > 0) {
        block_memory memory;
        float* shared = memory.take<float>(warps_here * cols);
        dgamma.finish(gamma_part, shared, cols);
        dbeta.finish(beta_part, shared, cols);
    }
}

// run(number of vectors of a lane) with the smallest that holds a row, 0 where rows are not held in
// registers: wider ones than `most` columns, and those that vectors do not fit.
template <class T, int most, class Run>
void with_vectors(int64_t cols, bool aligned, Run&& run) {
    constexpr int columns = 256, in_step = 8 / per_vector<T>;  // of one step of every lane
    const bool fits = aligned && cols % per_vector<T> == 0 && cols <= most;
    const auto steps_are = [&](auto steps) {
        constexpr int n = decltype(steps)::value;
        if constexpr (n * columns <= most) run(std::integral_constant<int, n * in_step>{});
    };
    switch (fits ? (cols + columns - 1) / columns : 0) {
        case 0:
            return steps_are(std::integral_constant<int, 0>{});
        case 1:
            return steps_are(std::integral_constant<int, 1>{});
        case 2:
            return steps_are(std::integral_constant<int, 2>{});
        case 3:
            return steps_are(std::integral_constant<int, 3>{});
        case 4:
            return steps_are(std::integral_constant<int, 4>{});
        case 5:
            return steps_are(std::integral_constant<int, 5>{});
        case 6:
            return steps_are(std::integral_constant<int, 6>{});
        default:
            return steps_are(std::integral_constant<int, 8>{});
    }
}

constexpr int most_columns = 2048;
// Backward holds three rows and two rows of sums.
template <class T>
constexpr int most_columns_of_backward = sizeof(T) == 2 ? 2048 : 1280;

// Depends on the shape alone; fills 132 multiprocessors where there are rows enough, four a warp.
int64_t parts_of_backward(int64_t rows, int64_t cols, int32_t dtype) {
    const int64_t most = 132 * int64_t(blocks_of_backward(int(cols * dtype_bytes(dtype) / 512)));
    return std::min(most, (rows + 4 * warps - 1) / (4 * warps));
}

void require_columns(int64_t cols) {
    if (cols > 0x7fffffff - 32) fail_unsupported("a LayerNorm's rows are too wide for CUDA");
}

}  // namespace

void gpu::layer_norm_forward(context& ctx, const view& y, const view* sum, const view& mean,
                             const view& rstd, const view& x, const view* branch, const view& gamma,
                             const view& beta, const mim_layer_norm_params& params) {
    if (ctx.planning()) return;
    const int64_t rows = x.shape[0], cols = x.shape[1];
    require_columns(cols);
    const bool aligned = aligned_to_vectors(
        {y.data, data<void>(sum), x.data, data<void>(branch), gamma.data, beta.data});
    dispatch_dtype(x.dtype, [&](auto tag) {
        using T = decltype(tag);
        with_vectors<T, most_columns>(cols, aligned, [&](auto vectors) {
            launch({blocks_for(rows, warps), warps * 32},
                   layer_norm_forward_kernel<T, decltype(vectors)::value>, data<T>(y), data<T>(sum),
                   data<float>(mean), data<float>(rstd), data<T>(x), data<T>(branch),
                   data<float>(gamma), data<float>(beta), rows, cols, params.eps);
        });
    });
}

void gpu::layer_norm_again(context& ctx, const view& y, const view& sum, const view& mean,
                           const view& rstd, const view& gamma, const view& beta) {
    if (ctx.planning()) return;
    const int64_t rows = sum.shape[0], cols = sum.shape[1];
    require_columns(cols);
    const bool aligned = aligned_to_vectors({y.data, sum.data, gamma.data, beta.data});
    dispatch_dtype(sum.dtype, [&](auto tag) {
        using T = decltype(tag);
        with_vectors<T, most_columns>(cols, aligned, [&](auto vectors) {
            launch({blocks_for(rows, warps), warps * 32},
                   layer_norm_again_kernel<T, decltype(vectors)::value>, data<T>(y), data<T>(sum),
                   data<float>(mean), data<float>(rstd), data<float>(gamma), data<float>(beta),
                   rows, cols);
        });
    });
}

void gpu::layer_norm_backward(context& ctx, const view& dx, const view& dgamma, const view& dbeta,
                              const view& dy, const view* dsum, const view& sum, const view& mean,
                              const view& rstd, const view& gamma) {
    const int64_t rows = sum.shape[0], cols = sum.shape[1];
    require_columns(cols);
    const int64_t parts = parts_of_backward(rows, cols, sum.dtype);
    const auto gamma_sums = column_sums::of_parts(ctx, parts, cols),
               beta_sums = column_sums::of_parts(ctx, parts, cols);
    if (ctx.planning()) return;
    const bool aligned =
        aligned_to_vectors({dx.data, dy.data, data<void>(dsum), sum.data, gamma.data});
    dispatch_dtype(sum.dtype, [&](auto tag) {
        using T = decltype(tag);
        with_vectors<T, most_columns_of_backward<T>>(cols, aligned, [&](auto vectors) {
            constexpr int n = decltype(vectors)::value;
            constexpr unsigned warps_here = warps_of_backward(n);
            launch({unsigned(parts), warps_here * 32,
                    n == 0 ? 0 : shared_bytes<float>(warps_here * cols)},
                   layer_norm_backward_kernel<T, n>, data<T>(dx), gamma_sums.parts(),
                   beta_sums.parts(), data<T>(dy), data<T>(dsum), data<T>(sum), data<float>(mean),
                   data<float>(rstd), data<float>(gamma), rows, cols);
        });
    });
    gamma_sums.add_parts(*this, data<float>(dgamma));
    beta_sums.add_parts(*this, data<float>(dbeta));
}

}  // namespace mim::cuda
