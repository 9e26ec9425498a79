// The perceptron of a block. Between its layers lie four times as many numbers as before and behind
// them; they pass through scratch a piece of rows at a time, so that what one product leaves is
// still in the level 2 cache when the GELU and the next product read it. Forward keeps `pre` alone;
// backward makes gelu(pre) and its derivative in one pass, which gathers the first bias's gradient
// too.
#include <algorithm>

#include "cuda/column_bands.h"
#include "cuda/column_sums.h"
#include "cuda/gelu.h"
#include "cuda/vectors.h"

namespace mim::cuda {

namespace {

// A launch of column_bands: h = gelu(pre), dpre = dh gelu'(pre) in the memory of dh. Where
// `summed`, the bands' parts gather dpre's columns before it is rounded to its storage; `add`:
// those of the piece before are in them. A warp reads neighbouring columns of one row.
template <class T, int n, bool summed>
__global__ void mlp_deactivate_kernel(T* h, T* dh, float* parts, const T* pre, int64_t rows,
                                      int64_t cols, int64_t rows_per_band, bool add) {
    const band_of_thread<n> band(rows, rows_per_band);
    float sums[n] = {};
    if (band.column < cols)
        for (unsigned r = band.row; r < band.end; r += column_bands::rows_at_once) {
            const int64_t at = r * cols + band.column;
            float values[n], gradients[n];
            load_floats(values, pre + at);
            load_floats(gradients, dh + at);
#pragma unroll
            for (int i = 0; i < n; ++i) {
                const gelu_and_derivative g = gelu_both(values[i]);
                values[i] = g.value;
                gradients[i] *= g.derivative;
                if constexpr (summed) sums[i] += gradients[i];
            }
            store_floats(h + at, values);
            store_floats(dh + at, gradients);
        }
    if constexpr (summed) store_band_sums(parts, sums, cols, add);
}

// Bytes of `pre` and the hidden layer in a piece. ViT-L in bf16 has 1536 rows in one: with x, y and
// both weights 48 MB in forward. Backward has the hidden layer's gradient besides, and reads and
// writes 34 MB of weights' gradients with each piece, so larger pieces may suit it better; nobody
// has measured it yet. The same on every device: pieces decide in which order sums are made.
constexpr int64_t bytes_per_piece = int64_t(24) << 20;
constexpr int64_t tile_rows = 128;  // pieces are whole tiles of a product

int64_t rows_per_piece(const view& w1, int64_t rows) {
    const int64_t row_bytes = 2 * w1.shape[0] * dtype_bytes(w1.dtype);
    const int64_t most = std::max(tile_rows, bytes_per_piece / row_bytes / tile_rows * tile_rows);
    const int64_t pieces = (rows + most - 1) / most;  // of nearly equal size
    const int64_t even = (rows + pieces - 1) / pieces;
    return std::min(rows, (even + tile_rows - 1) / tile_rows * tile_rows);
}

void* row_at(const view& v, int64_t row) {
    return static_cast<char*>(v.data) + row * v.stride[0] * dtype_bytes(v.dtype);
}

// What lies between the layers, densely.
matrix_layout hidden_layout(const view& w1) {
    return {w1.dtype, w1.shape[0], 1};
}

}  // namespace

void gpu::mlp_forward(context& ctx, const view& y, const view* pre, const view& x, const view& w1,
                      const view* bias1, const view& w2, const view* bias2) {
    const int64_t rows = x.shape[0], inputs = w1.shape[1], hidden = w1.shape[0],
                  outputs = w2.shape[0], most = rows_per_piece(w1, rows);
    const bool rounds = w1.dtype == MIM_BF16;
    const product_scratch scratch(ctx, w1.dtype, bias1 == nullptr ? 0 : hidden);
    bf16* rounded2 = rounds && bias2 != nullptr ? ctx.scratch<bf16>(outputs) : nullptr;
    char* h = ctx.scratch<char>(most * hidden * dtype_bytes(w1.dtype));
    if (ctx.planning()) return;
    const void* added1 = bias_in(w1.dtype, data<float>(bias1), hidden, scratch.bias);
    const void* added2 = bias_in(w1.dtype, data<float>(bias2), outputs, rounded2);
    for (int64_t begin = 0; begin < rows; begin += most) {
        const int64_t count = std::min(most, rows - begin);
        void* pre_piece = pre == nullptr ? h : row_at(*pre, begin);
        multiply_with({.m = count,  // pre (R, H) = x (R, K) w1^T (K, H) + bias1
                       .n = hidden,
                       .k = inputs,
                       .c = hidden_layout(w1),
                       .a = layout_of(x),
                       .b = layout_of(w1).transposed(),
                       .bias = bias1 != nullptr},
                      pre_piece, row_at(x, begin), w1.data, added1, scratch);
        run_gelu(*this, w1.dtype, h, pre_piece, count * hidden);
        multiply_with({.m = count,  // y (R, N) = h (R, H) w2^T (H, N) + bias2
                       .n = outputs,
                       .k = hidden,
                       .c = layout_of(y),
                       .a = hidden_layout(w1),
                       .b = layout_of(w2).transposed(),
                       .bias = bias2 != nullptr},
                      row_at(y, begin), h, w2.data, added2, scratch);
    }
}

void gpu::mlp_backward(context& ctx, const view* dx, const view& dw1, const view* dbias1,
                       const view& dw2, const view* dbias2, const view& dy, const view& x,
                       const view& pre, const view& w1, const view& w2) {
    const int64_t rows = x.shape[0], inputs = w1.shape[1], hidden = w1.shape[0],
                  outputs = w2.shape[0], most = rows_per_piece(w1, rows);
    const int64_t piece_bytes = most * hidden * dtype_bytes(w1.dtype);
    const product_scratch scratch(ctx, w1.dtype, 0);
    char* h = ctx.scratch<char>(piece_bytes);
    char* dh = ctx.scratch<char>(piece_bytes);
    const column_bands bands(most, hidden, w1.dtype);
    const auto sums1 = column_sums::of_parts(ctx, bands.bands, hidden, dbias1 != nullptr);
    const column_sums sums2(ctx, rows, outputs, dbias2 != nullptr);
    if (ctx.planning()) return;

    const auto deactivate = [&](int64_t begin, int64_t count) {
        void* pre_piece = row_at(pre, begin);
        dispatch_dtype(w1.dtype, [&](auto tag) {
            using T = decltype(tag);
            const auto run = [&](auto kernel, int n) {
                launch(bands.shape(n, dbias1 != nullptr), kernel, reinterpret_cast<T*>(h),
                       reinterpret_cast<T*>(dh), sums1.parts(), static_cast<const T*>(pre_piece),
                       count, hidden, bands.rows_per_band, begin > 0);
            };
            constexpr int n = per_vector<T>;
            const bool by_vectors = hidden % n == 0 && aligned_to_vectors({h, dh, pre_piece});
            if (dbias1 != nullptr)
                by_vectors ? run(mlp_deactivate_kernel<T, n, true>, n)
                           : run(mlp_deactivate_kernel<T, 1, true>, 1);
            else
                by_vectors ? run(mlp_deactivate_kernel<T, n, false>, n)
                           : run(mlp_deactivate_kernel<T, 1, false>, 1);
        });
    };
    if (dbias2 != nullptr) sums2.add_rows(*this, data<float>(*dbias2), dy);
    for (int64_t begin = 0; begin < rows; begin += most) {
        const int64_t count = std::min(most, rows - begin);
        const void *dy_piece = row_at(dy, begin), *x_piece = row_at(x, begin);
        multiply({.m = count,  // dh (R, H) = dy (R, N) w2 (N, H)
                  .n = hidden,
                  .k = outputs,
                  .c = hidden_layout(w1),
                  .a = layout_of(dy),
                  .b = layout_of(w2)},
                 dh, dy_piece, w2.data, nullptr, scratch);
        deactivate(begin, count);  // dh becomes dpre
        multiply({.m = outputs,    // dw2 (N, H) += dy^T (N, R) h (R, H)
                  .n = hidden,
                  .k = count,
                  .c = layout_of(dw2),
                  .a = layout_of(dy).transposed(),
                  .b = hidden_layout(w1),
                  .accumulate = true},
                 dw2.data, dy_piece, h, nullptr, scratch);
        if (dx != nullptr)
            multiply({.m = count,  // dx (R, K) = dpre (R, H) w1 (H, K)
                      .n = inputs,
                      .k = hidden,
                      .c = layout_of(*dx),
                      .a = hidden_layout(w1),
                      .b = layout_of(w1)},
                     row_at(*dx, begin), dh, w1.data, nullptr, scratch);
        multiply({.m = hidden,  // dw1 (H, K) += dpre^T (H, R) x (R, K)
                  .n = inputs,
                  .k = count,
                  .c = layout_of(dw1),
                  .a = hidden_layout(w1).transposed(),
                  .b = layout_of(x),
                  .accumulate = true},
                 dw1.data, dh, x_piece, nullptr, scratch);
    }
    sums1.add_parts(*this, data<float>(dbias1));
}

}  // namespace mim::cuda
