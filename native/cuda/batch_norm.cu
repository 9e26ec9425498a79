// BatchNorm on the GPU. Bands of rows are summed by blocks of their own, then a thread a column adds
// the sums of the bands in their order, in double; one pass over the rows ends either direction. The
// bands depend on the shape alone, so the same shape gives the same bits.
//
// Columns may lie far from zero: values are centred before they are summed, and what rounding left of
// the mean (`rest`, the average of x - mean) is taken off again wherever x - mean is used.
#include "cuda/column_bands.h"
#include "cuda/gpu.h"
#include "cuda/token_rows.h"

namespace mim::cuda {

namespace {

// A launch of column_bands: each band's part has the sums of x - centre and, where wanted, of its
// squares. Centre is the first row or the mean.
template <class T, class Centre, int n>
__global__ void sum_centred_kernel(float* sum_parts, float* square_parts, const T* x,
                                   const Centre* centre, int64_t rows, int64_t cols,
                                   int64_t rows_per_band) {
    const band_of_thread<n> band(rows, rows_per_band);
    float sums[n] = {}, squares[n] = {};
    if (band.column < cols) {
        float middle[n];
        load_floats(middle, centre + band.column);
        for (unsigned r = band.row; r < band.end; r += column_bands::rows_at_once) {
            float values[n];
            load_floats(values, x + r * cols + band.column);
#pragma unroll
            for (int i = 0; i < n; ++i) {
                const float e = values[i] - middle[i];
                sums[i] += e;
                squares[i] += e * e;
            }
        }
    }
    block_memory memory;
    float* shared = memory_of_band_sums<n>(memory);
    store_band_sums(sum_parts, sums, cols, /*add=*/false, shared);
    if (square_parts == nullptr) return;
    wait_block();  // the sums before these were read
    store_band_sums(square_parts, squares, cols, /*add=*/false, shared);
}

// A launch of column_bands: the same of x - mean, dy and their product.
template <class T, int n>
__global__ void sum_gradients_kernel(float* rest_parts, float* dy_parts, float* product_parts,
                                     const T* dy, const T* x, const float* mean, int64_t rows,
                                     int64_t cols, int64_t rows_per_band) {
    const band_of_thread<n> band(rows, rows_per_band);
    float rests[n] = {}, sums[n] = {}, products[n] = {};
    if (band.column < cols) {
        float middle[n];
        load_floats(middle, mean + band.column);
        for (unsigned r = band.row; r < band.end; r += column_bands::rows_at_once) {
            float values[n], g[n];
            load_floats(values, x + r * cols + band.column);
            load_floats(g, dy + r * cols + band.column);
#pragma unroll
            for (int i = 0; i < n; ++i) {
                const float e = values[i] - middle[i];
                rests[i] += e;
                sums[i] += g[i];
                products[i] += g[i] * e;
            }
        }
    }
    block_memory memory;
    float* shared = memory_of_band_sums<n>(memory);
    store_band_sums(rest_parts, rests, cols, /*add=*/false, shared);
    wait_block();
    store_band_sums(dy_parts, sums, cols, /*add=*/false, shared);
    wait_block();
    store_band_sums(product_parts, products, cols, /*add=*/false, shared);
}

// The sum of a column's parts; neighbouring threads read neighbouring columns.
struct band_parts {
    float* sums;  // (bands, cols)
    int64_t bands, cols;

    __device__ double of(int64_t column) const {
        double sum = 0;
        for (int64_t i = 0; i < bands; ++i) sum += double(sums[i * cols + column]);
        return sum;
    }
};

inline __device__ int64_t column_of_thread() {
    return int64_t(blockIdx.x) * block + threadIdx.x;
}

// grid ceil(C / 256), block 256, as the three below: a thread a column.
template <class T>
__global__ void find_mean_kernel(float* mean, const T* first_row, band_parts parts, int64_t rows) {
    const int64_t c = column_of_thread();
    if (c < parts.cols) mean[c] = float(double(float(first_row[c])) + parts.of(c) / double(rows));
}

// `mean` is what the values were centred by, and becomes the mean.
__global__ void find_statistics_kernel(float* mean, float* rstd, float* rest, float* running_mean,
                                       float* running_var, band_parts parts, band_parts squares,
                                       int64_t rows, float eps, float momentum) {
    const int64_t c = column_of_thread();
    if (c >= parts.cols) return;
    const double off = parts.of(c) / double(rows), exact = double(mean[c]) + off;
    const double square = squares.of(c) / double(rows) - off * off;
    const double variance = square < 0 ? 0 : square;
    mean[c] = float(exact);
    rest[c] = float(exact - double(mean[c]));
    rstd[c] = float(1 / sqrt(variance + double(eps)));
    if (running_mean == nullptr) return;
    const double unbiased = variance * double(rows) / double(rows - 1);
    const double moved = double(momentum), kept = 1 - moved;
    running_mean[c] = float(kept * double(running_mean[c]) + moved * exact);
    running_var[c] = float(kept * double(running_var[c]) + moved * unbiased);
}

__global__ void take_statistics_kernel(float* mean, float* rstd, float* rest,
                                       const float* running_mean, const float* running_var,
                                       int64_t cols, float eps) {
    const int64_t c = column_of_thread();
    if (c >= cols) return;
    mean[c] = running_mean[c];
    rest[c] = 0;
    rstd[c] = float(1 / sqrt(double(running_var[c]) + double(eps)));
}

// Where the running statistics were taken they have no gradient: `a` and `b` are 0.
//   dx = gamma rstd (dy - a - (x - mean) b),    a = avg(dy),  b = rstd^2 avg(dy (x - mean))
__global__ void find_gradients_kernel(float* dgamma, float* dbeta, float* rest, float* a, float* b,
                                      const float* rstd, band_parts rests, band_parts sums,
                                      band_parts products, int64_t rows, bool training) {
    const int64_t c = column_of_thread();
    if (c >= sums.cols) return;
    const double off = training ? rests.of(c) / double(rows) : 0.0;
    const double sum = sums.of(c), scale = double(rstd[c]), product = products.of(c) - off * sum;
    rest[c] = float(off);
    a[c] = training ? float(sum / double(rows)) : 0.0f;
    b[c] = training ? float(scale * scale * product / double(rows)) : 0.0f;
    if (dgamma != nullptr) dgamma[c] += float(scale * product);
    if (dbeta != nullptr) dbeta[c] += float(sum);
}

// The statistics of a thread's columns; neighbouring columns lie together.
template <int n>
struct column_statistics {
    float mean[n], rest[n], scale[n];  // scale = gamma rstd

    __device__ column_statistics(const float* all_mean, const float* all_rest, const float* rstd,
                                 const float* gamma, int column) {
        load_floats(mean, all_mean + column);
        load_floats(rest, all_rest + column);
        load_floats(scale, rstd + column);
        if (gamma == nullptr) return;
        float factor[n];
        load_floats(factor, gamma + column);
#pragma unroll
        for (int i = 0; i < n; ++i) scale[i] *= factor[i];
    }
};

// A launch of column_bands without sums: y = (x - mean) rstd gamma + beta
template <class T, int n>
__global__ void normalise_kernel(T* y, const T* x, const float* mean, const float* rest,
                                 const float* rstd, const float* gamma, const float* beta,
                                 int64_t rows, int64_t cols, int64_t rows_per_band) {
    const band_of_thread<n> band(rows, rows_per_band);
    if (band.column >= cols) return;
    const column_statistics<n> s(mean, rest, rstd, gamma, band.column);
    float start[n] = {};
    if (beta != nullptr) load_floats(start, beta + band.column);
    for (unsigned r = band.row; r < band.end; r += column_bands::rows_at_once) {
        float values[n];
        load_floats(values, x + r * cols + band.column);
#pragma unroll
        for (int i = 0; i < n; ++i)
            values[i] = (values[i] - s.mean[i] - s.rest[i]) * s.scale[i] + start[i];
        store_floats(y + r * cols + band.column, values);
    }
}

// The same: dx = gamma rstd (dy - a - (x - mean) b)
template <class T, int n>
__global__ void differentiate_kernel(T* dx, const T* dy, const T* x, const float* mean,
                                     const float* rest, const float* rstd, const float* gamma,
                                     const float* a, const float* b, int64_t rows, int64_t cols,
                                     int64_t rows_per_band) {
    const band_of_thread<n> band(rows, rows_per_band);
    if (band.column >= cols) return;
    const column_statistics<n> s(mean, rest, rstd, gamma, band.column);
    float average[n], slope[n];
    load_floats(average, a + band.column);
    load_floats(slope, b + band.column);
    for (unsigned r = band.row; r < band.end; r += column_bands::rows_at_once) {
        float values[n], g[n];
        load_floats(values, x + r * cols + band.column);
        load_floats(g, dy + r * cols + band.column);
#pragma unroll
        for (int i = 0; i < n; ++i)
            g[i] =
                s.scale[i] * (g[i] - average[i] - (values[i] - s.mean[i] - s.rest[i]) * slope[i]);
        store_floats(dx + r * cols + band.column, g);
    }
}

band_parts parts_of(context& ctx, const column_bands& bands, bool wanted = true) {
    return {wanted ? ctx.scratch<float>(bands.bands * bands.cols) : nullptr, bands.bands,
            bands.cols};
}

}  // namespace

void gpu::batch_norm_forward(context& ctx, const view& y, const view& mean, const view& rstd,
                             const view* running_mean, const view* running_var, const view& x,
                             const view* gamma, const view* beta,
                             const mim_batch_norm_params& params) {
    const column_bands bands(x.shape[0], x.shape[1], x.dtype);
    const int64_t rows = bands.rows, cols = bands.cols, each = bands.rows_per_band;
    float* rest = ctx.scratch<float>(cols);
    const band_parts sums = parts_of(ctx, bands, params.training != 0),
                     squares = parts_of(ctx, bands, params.training != 0);
    if (ctx.planning()) return;
    float *means = data<float>(mean), *rstds = data<float>(rstd),
          *running_means = data<float>(running_mean), *running_vars = data<float>(running_var);
    const launch_shape of_columns = {blocks_for(cols, block), block};
    dispatch_dtype(x.dtype, [&](auto tag) {
        using T = decltype(tag);
        const T* from = data<T>(x);
        dispatch_width<T>(
            cols, {x.data, y.data, means, rstds, data<void>(gamma), data<void>(beta)},
            [&](auto width) {
                constexpr int n = decltype(width)::value;
                if (params.training) {
                    launch(bands.shape(n, true), sum_centred_kernel<T, T, n>, sums.sums, nullptr,
                           from, from, rows, cols, each);
                    launch(of_columns, find_mean_kernel<T>, means, from, sums, rows);
                    launch(bands.shape(n, true), sum_centred_kernel<T, float, n>, sums.sums,
                           squares.sums, from, means, rows, cols, each);
                    launch(of_columns, find_statistics_kernel, means, rstds, rest, running_means,
                           running_vars, sums, squares, rows, params.eps, params.momentum);
                } else {
                    launch(of_columns, take_statistics_kernel, means, rstds, rest, running_means,
                           running_vars, cols, params.eps);
                }
                launch(bands.shape(n, false), normalise_kernel<T, n>, data<T>(y), from, means, rest,
                       rstds, data<float>(gamma), data<float>(beta), rows, cols, each);
            });
    });
}

void gpu::batch_norm_backward(context& ctx, const view* dx, const view* dgamma, const view* dbeta,
                              const view& dy, const view& x, const view& mean, const view& rstd,
                              const view* gamma, const mim_batch_norm_params& params) {
    const column_bands bands(x.shape[0], x.shape[1], x.dtype);
    const int64_t rows = bands.rows, cols = bands.cols, each = bands.rows_per_band;
    float *rest = ctx.scratch<float>(cols), *a = ctx.scratch<float>(cols),
          *b = ctx.scratch<float>(cols);
    const band_parts rests = parts_of(ctx, bands), sums = parts_of(ctx, bands),
                     products = parts_of(ctx, bands);
    if (ctx.planning()) return;
    float *means = data<float>(mean), *rstds = data<float>(rstd);
    dispatch_dtype(x.dtype, [&](auto tag) {
        using T = decltype(tag);
        const T *from = data<T>(x), *g = data<T>(dy);
        dispatch_width<T>(cols, {x.data, dy.data, data<void>(dx), means, rstds, data<void>(gamma)},
                          [&](auto width) {
                              constexpr int n = decltype(width)::value;
                              launch(bands.shape(n, true), sum_gradients_kernel<T, n>, rests.sums,
                                     sums.sums, products.sums, g, from, means, rows, cols, each);
                              launch({blocks_for(cols, block), block}, find_gradients_kernel,
                                     data<float>(dgamma), data<float>(dbeta), rest, a, b, rstds,
                                     rests, sums, products, rows, params.training != 0);
                              if (dx != nullptr)
                                  launch(bands.shape(n, false), differentiate_kernel<T, n>,
                                         data<T>(dx), g, from, means, rest, rstds,
                                         data<float>(gamma), a, b, rows, cols, each);
                          });
    });
}

}  // namespace mim::cuda
