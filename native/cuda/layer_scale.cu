// LayerScale and stochastic depth on the GPU, one pass over the rows either way. Backward is
// forward applied to dy, with the sums of gamma's gradient gathered from the same loads: so dx may
// lie on dy, as y may on x.
#include "cuda/column_bands.h"
#include "cuda/column_sums.h"
#include "cuda/gpu.h"
#include "cuda/vectors.h"

namespace mim::cuda {

namespace {

// A launch of column_bands: to[r,c] = from[r,c] gamma[c] s[r]; where `summed`, each band's part has
// the sums of from[r,c] x[r,c] s[r]. A warp reads neighbouring columns of one row.
template <class T, int n, bool summed>
__global__ void layer_scale_kernel(T* to, float* parts, const T* from, const T* x,
                                   const float* gamma, const float* sample_scale,
                                   unsigned rows_per_sample, int64_t rows, int64_t cols,
                                   int64_t rows_per_band) {
    const band_of_thread<n> band(rows, rows_per_band);
    float sums[n] = {};
    if (band.column < cols) {
        float scales[n];
        for (int i = 0; i < n; ++i) scales[i] = 1;
        if (gamma != nullptr) load_floats(scales, gamma + band.column);
        for (unsigned r = band.row; r < band.end; r += column_bands::rows_at_once) {
            const int64_t at = r * cols + band.column;
            const float s = sample_scale == nullptr ? 1.0f : sample_scale[r / rows_per_sample];
            float values[n];
            load_floats(values, from + at);
            for (int i = 0; i < n; ++i) values[i] *= s;
            if constexpr (summed) {
                float saved[n];
                load_floats(saved, x + at);
                for (int i = 0; i < n; ++i) sums[i] += values[i] * saved[i];
            }
            for (int i = 0; i < n; ++i) values[i] *= scales[i];
            store_floats(to + at, values);
        }
    }
    if constexpr (summed) store_band_sums(parts, sums, cols, /*add=*/false);
}

void run_layer_scale(gpu& device, const column_bands& bands, const view& to, float* parts,
                     const view& from, const view* x, const view* gamma, const view* sample_scale) {
    const int64_t samples = sample_scale == nullptr ? 1 : sample_scale->shape[0];
    dispatch_dtype(from.dtype, [&](auto tag) {
        using T = decltype(tag);
        const auto run = [&](auto kernel, int n) {
            device.launch(bands.shape(n, parts != nullptr), kernel, data<T>(to), parts,
                          data<T>(from), data<T>(x), data<float>(gamma), data<float>(sample_scale),
                          unsigned(bands.rows / samples), bands.rows, bands.cols,
                          bands.rows_per_band);
        };
        constexpr int n = per_vector<T>;
        const bool by_vectors =
            bands.cols % n == 0 &&
            aligned_to_vectors({to.data, from.data, data<void>(x), data<void>(gamma)});
        if (parts != nullptr)
            by_vectors ? run(layer_scale_kernel<T, n, true>, n)
                       : run(layer_scale_kernel<T, 1, true>, 1);
        else
            by_vectors ? run(layer_scale_kernel<T, n, false>, n)
                       : run(layer_scale_kernel<T, 1, false>, 1);
    });
}

}  // namespace

void gpu::layer_scale_forward(context& ctx, const view& y, const view& x, const view* gamma,
                              const view* sample_scale) {
    if (ctx.planning()) return;
    run_layer_scale(*this, {x.shape[0], x.shape[1], x.dtype}, y, nullptr, x, nullptr, gamma,
                    sample_scale);
}

void gpu::layer_scale_backward(context& ctx, const view& dx, const view* dgamma, const view& dy,
                               const view* x, const view* gamma, const view* sample_scale) {
    const column_bands bands(dy.shape[0], dy.shape[1], dy.dtype);
    const auto sums = column_sums::of_parts(ctx, bands.bands, bands.cols, dgamma != nullptr);
    if (ctx.planning()) return;
    run_layer_scale(*this, bands, dx, sums.parts(), dy, dgamma == nullptr ? nullptr : x, gamma,
                    sample_scale);
    sums.add_parts(*this, data<float>(dgamma));
}

}  // namespace mim::cuda
