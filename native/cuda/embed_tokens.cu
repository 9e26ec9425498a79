// Encoder tokens on the GPU. Backward goes by rows of positions: whatever ids ask for, a row's
// gradients are added by the block that has it.
#include "cuda/token_maps.h"

namespace mim::cuda {

namespace {

template <class T>
struct embedding {
    const T* x;
    const float *cls, *position, *mask, *mask_token;
    const int32_t* ids;  // null without a position
    int64_t kept, extra, dim, limit;

    __device__ token_parts<T> at(int64_t image, int64_t token) const {
        if (token < extra) return {nullptr, cls, position, false};
        const int64_t source = image * kept + token - extra;
        const bool hidden = mask != nullptr && mask[source] != 0;
        token_parts<T> parts = {hidden ? nullptr : x + source * dim, hidden ? mask_token : nullptr,
                                nullptr, false};
        if (position == nullptr) return parts;
        const int64_t place = ids != nullptr ? ids[source] : token - extra;
        parts.broken = place < 0 || place >= limit;
        if (!parts.broken) parts.position = position + (extra + place) * dim;
        return parts;
    }
};

template <class T>
struct embedding_gradient {
    const T* dy;
    T* dx;
    const float* mask;
    id_places places;
    int64_t kept, extra, dim;

    __device__ int64_t first(int64_t image, int64_t row) const {
        if (row < extra) return row;
        const int64_t place = places.first_of(image, row - extra);
        return place < 0 ? -1 : extra + place;
    }
    __device__ int64_t next(int64_t image, int64_t token) const {
        const int64_t place = token < extra ? -1 : places.next_of(image, token - extra);
        return place < 0 ? -1 : extra + place;
    }
    __device__ token_gradient<T> at(int64_t image, int64_t token) const {
        const T* from = dy + (image * (extra + kept) + token) * dim;
        if (token < extra) return {from, nullptr, false};
        const int64_t source = image * kept + token - extra;
        return {from, dx + source * dim, mask != nullptr && mask[source] != 0};
    }
};

}  // namespace

void gpu::embed_tokens_forward(context& ctx, const view& y, const view& x, const view* cls,
                               const view* position, const view* ids, const view* mask,
                               const view* mask_token) {
    if (ctx.planning()) return;
    const int64_t kept = x.shape[1], extra = y.shape[1] - kept;
    dispatch_dtype(x.dtype, [&](auto tag) {
        using T = decltype(tag);
        const embedding<T> map = {.x = data<T>(x),
                                  .cls = data<float>(cls),
                                  .position = data<float>(position),
                                  .mask = data<float>(mask),
                                  .mask_token = data<float>(mask_token),
                                  .ids = data<int32_t>(ids),
                                  .kept = kept,
                                  .extra = extra,
                                  .dim = x.shape[2],
                                  .limit = position == nullptr ? 0 : position->shape[0] - extra};
        make_tokens<T>(*this, y, map, {y.data, map.x, map.cls, map.position, map.mask_token});
    });
}

void gpu::embed_tokens_backward(context& ctx, const view& dx, const view* dcls,
                                const view* dposition, const view* dmask_token, const view& dy,
                                const view* ids, const view* mask) {
    const int64_t batch = dx.shape[0], kept = dx.shape[1], dim = dx.shape[2];
    const int64_t extra = dy.shape[1] - kept;
    if (dposition == nullptr) ids = nullptr;
    const int64_t patches = ids == nullptr ? kept : dposition->shape[0] - extra;
    const id_places places(ctx, ids, patches);
    const shared_gradients gradients(ctx, batch, extra + patches, extra, dim, dposition,
                                     dmask_token, dcls);
    if (ctx.planning()) return;
    places.fill(*this, ids);
    dispatch_dtype(dx.dtype, [&](auto tag) {
        using T = decltype(tag);
        const embedding_gradient<T> map = {.dy = data<T>(dy),
                                           .dx = data<T>(dx),
                                           .mask = data<float>(mask),
                                           .places = places,
                                           .kept = kept,
                                           .extra = extra,
                                           .dim = dim};
        gradients.run<T>(*this, map, batch, dy.data, dx.data);
    });
}

}  // namespace mim::cuda
