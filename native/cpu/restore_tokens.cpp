// Decoder tokens on the CPU: forward and dx are parallel over tokens, parameter gradients over
// channels.
#include <cstring>

#include "cpu/parallel.h"
#include "cpu/processor.h"
#include "cpu/token_rows.h"

namespace mim::cpu {

namespace {

// Where token i of (B, E+L) comes from: a row of x, counted over the batch, or -1 for the mask
// token.
struct restoration {
    restoration(const view& all, const view& kept, const view& ids_restore)
        : tokens(all.shape[1]),
          patches(ids_restore.shape[1]),
          extra(tokens - patches),
          rows(kept.shape[1]),
          restore(data<int32_t>(ids_restore)) {}

    int64_t source(int64_t i) const {
        const int64_t b = i / tokens, l = i % tokens - extra;
        const int64_t row = l < 0 ? 0 : extra + restore[b * patches + l];
        return row < rows ? b * rows + row : -1;
    }

    int64_t tokens, patches, extra, rows;
    const int32_t* restore;
};

}  // namespace

void processor::restore_tokens_forward(context& ctx, const view& y, const view& x,
                                       const view& mask_token, const view* position,
                                       const view& ids_restore) {
    if (ctx.planning()) return;
    const restoration map(y, x, ids_restore);
    const int64_t dim = x.shape[2];
    const float *token = data<float>(mask_token), *place = data<float>(position);
    dispatch_dtype(x.dtype, [&](auto tag) {
        using T = decltype(tag);
        const token_rows<T>& rows = token_rows_of<T>();
        const T* from = data<T>(x);
        T* to = data<T>(y);
        parallel_for(
            ctx, y.shape[0] * map.tokens, token_grain(dim), [&](int64_t begin, int64_t end) {
                for (int64_t i = begin; i < end; ++i) {
                    const int64_t source = map.source(i);
                    const float* here = place == nullptr ? nullptr : place + i % map.tokens * dim;
                    if (source < 0)
                        rows.embed_token(to + i * dim, token, here, dim);
                    else
                        rows.embed(to + i * dim, from + source * dim, here, dim);
                }
            });
    });
}

// Each row of dx has exactly one token of dy, because ids_restore is a permutation: no row is
// missed or written twice.
void processor::restore_tokens_backward(context& ctx, const view& dx, const view* dmask_token,
                                        const view* dposition, const view& dy,
                                        const view& ids_restore) {
    const restoration map(dy, dx, ids_restore);
    const int64_t dim = dx.shape[2], count = dy.shape[0] * map.tokens;
    double* sum = ctx.scratch<double>(dim);  // of the tokens that were masked
    if (ctx.planning()) return;
    float *dtoken = data<float>(dmask_token), *dplace = data<float>(dposition);
    dispatch_dtype(dx.dtype, [&](auto tag) {
        using T = decltype(tag);
        const token_rows<T>& rows = token_rows_of<T>();
        const T* from = data<T>(dy);
        T* to = data<T>(dx);
        parallel_for(ctx, count, token_grain(dim), [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; ++i)
                if (const int64_t source = map.source(i); source >= 0)
                    std::memcpy(to + source * dim, from + i * dim, size_t(dim) * sizeof(T));
        });
        if (dtoken != nullptr)
            parallel_for(ctx, dim, channel_grain, [&](int64_t begin, int64_t end) {
                std::fill(sum + begin, sum + end, 0.0);
                for (int64_t i = 0; i < count; ++i)
                    if (map.source(i) < 0)
                        rows.add_double(sum + begin, from + i * dim + begin, end - begin);
                for (int64_t c = begin; c < end; ++c) dtoken[c] += float(sum[c]);
            });
        if (dplace != nullptr)
            parallel_for(ctx, dim, channel_grain, [&](int64_t begin, int64_t end) {
                for (int64_t i = 0; i < count; ++i)
                    rows.add(dplace + i % map.tokens * dim + begin, from + i * dim + begin,
                             end - begin);
            });
    });
}

}  // namespace mim::cpu
