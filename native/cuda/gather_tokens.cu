// Gather on the GPU: whole tokens are copied, whatever their dtype. Backward turns the ids round
// first, so that every row of dx is written once.
#include <limits>

#include "cuda/token_rows.h"

namespace mim::cuda {

namespace {

// Rows of an image: the first `skipped` of `count` are not among those that ids name.
struct image_rows {
    int64_t count, skipped;
};

// grid (B rows of `to`), one block a row: neighbouring threads copy neighbouring pieces of 16 bytes.
// places (B, to.count - to.skipped) names the row of `from` that each row takes; where there is
// none, the row is filled with `missing`.
template <class T, int n>
__global__ void copy_rows_kernel(T* to, const T* from, const int32_t* places, image_rows to_rows,
                                 image_rows from_rows, int64_t dim, T missing) {
    const uint32_t image = blockIdx.x / uint32_t(to_rows.count);
    const int64_t place = blockIdx.x - image * to_rows.count - to_rows.skipped;
    const int64_t source =
        place < 0 ? -1 : places[image * (to_rows.count - to_rows.skipped) + place];
    const bool has_source = source >= 0 && source < from_rows.count - from_rows.skipped;
    from += has_source ? (image * from_rows.count + from_rows.skipped + source) * dim : 0;
    to += int64_t(blockIdx.x) * dim;
    for (int64_t i = threadIdx.x * n; i < dim; i += blockDim.x * n) {
        vector<T, n> piece;
        if (has_source)
            piece = load_vector<T, n>(from + i);
        else
            for (int j = 0; j < n; ++j) piece[j] = missing;
        store_vector(to + i, piece);
    }
}

void copy_rows(gpu& device, const view& to, const view& from, const int32_t* places,
               image_rows to_rows, image_rows from_rows, float missing) {
    const int64_t dim = to.shape[2];
    dispatch_dtype(to.dtype, [&](auto tag) {
        using T = decltype(tag);
        dispatch_width<T>(dim, {to.data, from.data}, [&](auto width) {
            constexpr int n = decltype(width)::value;
            device.launch({blocks_for(to.shape[0] * to_rows.count, 1), threads_for(dim / n)},
                          copy_rows_kernel<T, n>, data<T>(to), static_cast<const T*>(data<T>(from)),
                          places, to_rows, from_rows, dim, T(missing));
        });
    });
}

}  // namespace

void gpu::gather_tokens_forward(context& ctx, const view& y, const view& x, const view& ids,
                                const mim_gather_tokens_params& params) {
    if (ctx.planning()) return;
    copy_rows(*this, y, x, data<int32_t>(ids), {y.shape[1], 0}, {x.shape[1], params.first},
              std::numeric_limits<float>::quiet_NaN());
}

void gpu::gather_tokens_backward(context& ctx, const view& dx, const view& dy, const view& ids,
                                 const mim_gather_tokens_params& params) {
    const id_places places(ctx, &ids, dx.shape[1] - params.first);
    if (ctx.planning()) return;
    places.fill(*this, &ids);
    copy_rows(*this, dx, dy, places.first, {dx.shape[1], params.first}, {dy.shape[1], 0}, 0);
}

}  // namespace mim::cuda
