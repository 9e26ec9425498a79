// Token sequences made of rows that lie elsewhere, and the way back: the kernels behind embed_tokens
// and restore_tokens. What goes where is told by a map, a struct of pointers and sizes.
#pragma once

#include "cuda/column_sums.h"
#include "cuda/token_rows.h"

namespace mim::cuda {

// What a token is the sum of; absent parts are null.
template <class T>
struct token_parts {
    const T* stored;
    const float *learned, *position;  // one of stored and learned is there
    bool broken;                      // by an id that names nothing: the token becomes NaN
};

constexpr int64_t images_at_once = 8;

// grid (tokens * ceil(B / 8)): a block makes one token of eight images, each thread the same n
// neighbouring values of them, so that a position is read once where all eight have the same.
// map.at(image, token) gives token_parts<T>.
template <class T, int n, class Map>
__global__ void make_tokens_kernel(T* y, Map map, int64_t batch, int64_t tokens, int64_t dim) {
    const uint32_t group = blockIdx.x / uint32_t(tokens);
    const int64_t token = blockIdx.x - group * tokens, first = group * images_at_once;
    const int64_t last = first + images_at_once < batch ? first + images_at_once : batch;
    for (int64_t i = threadIdx.x * n; i < dim; i += blockDim.x * n) {
        const float* read = nullptr;  // the position that `place` holds
        float place[n] = {};
        for (int64_t image = first; image < last; ++image) {
            const token_parts<T> parts = map.at(image, token);
            float sum[n];
            if (parts.stored != nullptr)
                load_floats(sum, parts.stored + i);
            else
                load_floats(sum, parts.learned + i);
            if (parts.position != nullptr) {
                if (parts.position != read) load_floats(place, parts.position + i);
                read = parts.position;
                for (int j = 0; j < n; ++j) sum[j] += place[j];
            }
            if (parts.broken)
                for (int j = 0; j < n; ++j) sum[j] = nanf("");
            store_floats(y + (image * tokens + token) * dim + i, sum);
        }
    }
}

// `vectors` are the f32 rows that the map reads, null where absent.
template <class T, class Map>
void make_tokens(gpu& device, const view& y, const Map& map,
                 std::initializer_list<const void*> stored_and_vectors) {
    const int64_t batch = y.shape[0], tokens = y.shape[1], dim = y.shape[2];
    dispatch_width<T>(dim, stored_and_vectors, [&](auto width) {
        constexpr int n = decltype(width)::value;
        const int64_t groups = (batch + images_at_once - 1) / images_at_once;
        device.launch({blocks_for(tokens * groups, 1), threads_for(dim / n)},
                      make_tokens_kernel<T, n, Map>, data<T>(y), map, batch, tokens, dim);
    });
}

// Where the gradient of a token goes.
template <class T>
struct token_gradient {
    const T* dy;
    T* dx;          // the row of dx that it is the gradient of; null: of none
    bool is_token;  // the learned token stood here: dx, if any, becomes 0
};

// Gradients of rows that many tokens share. Bands of images are summed by blocks of their own, then
// the bands in their order.
class shared_gradients {
public:
    static constexpr int64_t band = 32;  // images

    // `rows` of positions; the token may stand in all of them but the first `extra`.
    shared_gradients(context& ctx, int64_t batch, int64_t rows, int64_t extra, int64_t dim,
                     const view* dposition, const view* dtoken, const view* dcls)
        : bands_((batch + band - 1) / band),
          rows_(rows),
          extra_(extra),
          dim_(dim),
          dposition_(data<float>(dposition)),
          dtoken_(data<float>(dtoken)),
          dcls_(data<float>(dcls)),
          positions_(column_sums::of_parts(ctx, bands_, rows * dim, dposition != nullptr)),
          cls_(column_sums::of_parts(ctx, bands_, dim, dcls != nullptr)),
          token_parts_(dtoken != nullptr ? ctx.scratch<float>(bands_ * (rows - extra) * dim)
                                         : nullptr),
          token_(ctx, bands_ * (rows - extra), dim, dtoken != nullptr) {}

    // Writes dx and adds to the shared rows. map.first(image, row) and map.next(image, place) walk
    // the places of a row's tokens until -1; map.at(image, place) gives their token_gradient<T>.
    template <class T, class Map>
    void run(gpu& device, const Map& map, int64_t batch, const void* dy, const void* dx) const;

private:
    int64_t bands_, rows_, extra_, dim_;
    float *dposition_, *dtoken_, *dcls_;
    column_sums positions_, cls_;
    float* token_parts_;
    column_sums token_;
};

// grid (rows * bands): a block has one row of positions in 32 images, each thread n neighbouring
// columns of it. dy is read once, whatever is wanted. Four images are under way at once: their first
// tokens are loaded before any is added; where ids repeat, the further tokens follow one by one.
template <class T, int n, class Map>
__global__ void share_gradients_kernel(float* positions, float* token, float* cls, Map map,
                                       int64_t batch, int64_t rows, int64_t extra, int64_t dim) {
    constexpr int at_once = 4;
    const int64_t part = blockIdx.x / uint32_t(rows), row = blockIdx.x - part * rows;
    const int64_t begin = part * shared_gradients::band;
    const int64_t end =
        begin + shared_gradients::band < batch ? begin + shared_gradients::band : batch;
    for (int64_t i = threadIdx.x * n; i < dim; i += blockDim.x * n) {
        float all[n], of_token[n];
        for (int j = 0; j < n; ++j) all[j] = of_token[j] = 0;
        for (int64_t image = begin; image < end; image += at_once) {
            int64_t place[at_once];
            token_gradient<T> at[at_once];
            float d[at_once][n];
#pragma unroll
            for (int a = 0; a < at_once; ++a) {
                place[a] = image + a < end ? map.first(image + a, row) : -1;
                if (place[a] >= 0) {
                    at[a] = map.at(image + a, place[a]);
                    load_floats(d[a], at[a].dy + i);
                }
            }
#pragma unroll
            for (int a = 0; a < at_once; ++a)
                while (place[a] >= 0) {
                    for (int j = 0; j < n; ++j) all[j] += d[a][j];
                    if (at[a].is_token)
                        for (int j = 0; j < n; ++j) {
                            of_token[j] += d[a][j];
                            d[a][j] = 0;
                        }
                    if (at[a].dx != nullptr) store_floats(at[a].dx + i, d[a]);
                    place[a] = map.next(image + a, place[a]);
                    if (place[a] >= 0) {
                        at[a] = map.at(image + a, place[a]);
                        load_floats(d[a], at[a].dy + i);
                    }
                }
        }
        if (positions != nullptr) store_floats(positions + (part * rows + row) * dim + i, all);
        if (token != nullptr && row >= extra)
            store_floats(token + (part * (rows - extra) + row - extra) * dim + i, of_token);
        if (cls != nullptr && row < extra) store_floats(cls + part * dim + i, all);
    }
}

template <class T, class Map>
void shared_gradients::run(gpu& device, const Map& map, int64_t batch, const void* dy,
                           const void* dx) const {
    dispatch_width<T>(dim_, {dy, dx}, [&](auto width) {  // scratch is aligned
        constexpr int n = decltype(width)::value;
        device.launch({blocks_for(rows_ * bands_, 1), threads_for(dim_ / n)},
                      share_gradients_kernel<T, n, Map>, positions_.parts(), token_parts_,
                      cls_.parts(), map, batch, rows_, extra_, dim_);
    });
    positions_.add_parts(device, dposition_);
    cls_.add_parts(device, dcls_);
    if (token_parts_ == nullptr) return;
    view parts = {};
    parts.size = sizeof parts;
    parts.dtype = MIM_F32;
    parts.device = MIM_CUDA;
    parts.rank = 2;
    parts.data = token_parts_;
    parts.shape[0] = bands_ * (rows_ - extra_);
    parts.shape[1] = parts.stride[0] = dim_;
    parts.stride[1] = 1;
    token_.add_rows(device, dtoken_, parts);
}

}  // namespace mim::cuda
