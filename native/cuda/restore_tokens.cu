// Decoder tokens on the GPU: both directions go by tokens of the whole sequence, whose positions are
// the same in every image.
#include "cuda/token_maps.h"

namespace mim::cuda {

namespace {

// Where token i of (B, E+L) comes from: a row of x, the mask token, or nothing where an id is
// negative.
struct restoration {
    const int32_t* ids;
    int64_t patches, extra, rows;  // of ids_restore, before them, of x

    __device__ int64_t row(int64_t image, int64_t token) const {
        return token < extra ? token : extra + ids[image * patches + token - extra];
    }
};

template <class T>
struct restored {
    restoration map;
    const T* x;
    const float *mask_token, *position;
    int64_t dim;

    __device__ token_parts<T> at(int64_t image, int64_t token) const {
        const int64_t row = map.row(image, token);
        const bool is_stored = row >= 0 && row < map.rows;
        return {is_stored ? x + (image * map.rows + row) * dim : nullptr,
                is_stored ? nullptr : mask_token,
                position == nullptr ? nullptr : position + token * dim, row < 0};
    }
};

template <class T>
struct restored_gradient {
    restoration map;
    const T* dy;
    T* dx;
    int64_t dim;

    __device__ int64_t first(int64_t, int64_t row) const { return row; }
    __device__ int64_t next(int64_t, int64_t) const { return -1; }
    __device__ token_gradient<T> at(int64_t image, int64_t token) const {
        const int64_t row = map.row(image, token);
        const bool is_stored = row >= 0 && row < map.rows;
        return {dy + (image * (map.extra + map.patches) + token) * dim,
                is_stored ? dx + (image * map.rows + row) * dim : nullptr, !is_stored};
    }
};

restoration restoration_of(const view& all, const view& kept, const view& ids_restore) {
    const int64_t patches = ids_restore.shape[1];
    return {data<int32_t>(ids_restore), patches, all.shape[1] - patches, kept.shape[1]};
}

}  // namespace

void gpu::restore_tokens_forward(context& ctx, const view& y, const view& x, const view& mask_token,
                                 const view* position, const view& ids_restore) {
    if (ctx.planning()) return;
    dispatch_dtype(x.dtype, [&](auto tag) {
        using T = decltype(tag);
        const restored<T> map = {restoration_of(y, x, ids_restore), data<T>(x),
                                 data<float>(mask_token), data<float>(position), x.shape[2]};
        make_tokens<T>(*this, y, map, {y.data, map.x, map.mask_token, map.position});
    });
}

void gpu::restore_tokens_backward(context& ctx, const view& dx, const view* dmask_token,
                                  const view* dposition, const view& dy, const view& ids_restore) {
    const int64_t batch = dx.shape[0], dim = dx.shape[2];
    const restoration map = restoration_of(dy, dx, ids_restore);
    const shared_gradients gradients(ctx, batch, dy.shape[1], map.extra, dim, dposition,
                                     dmask_token, /*dcls=*/nullptr);
    if (ctx.planning()) return;
    dispatch_dtype(dx.dtype, [&](auto tag) {
        using T = decltype(tag);
        gradients.run<T>(*this, restored_gradient<T>{map, data<T>(dy), data<T>(dx), dim}, batch,
                         dy.data, dx.data);
    });
}

}  // namespace mim::cuda
