// Encoder tokens on the CPU: forward and dx are parallel over tokens, parameter gradients over
// channels.
#include <cstring>

#include "cpu/parallel.h"
#include "cpu/processor.h"
#include "cpu/token_rows.h"

namespace mim::cpu {

void processor::embed_tokens_forward(context& ctx, const view& y, const view& x, const view* cls,
                                     const view* position, const view* ids) {
    if (ctx.planning()) return;
    const int64_t batch = x.shape[0], kept = x.shape[1], dim = x.shape[2];
    const int64_t tokens = y.shape[1], extra = tokens - kept;
    const int32_t* id = data<int32_t>(ids);
    const float *token = data<float>(cls), *place = data<float>(position);
    const auto place_of = [=](int64_t row) {
        return place == nullptr ? nullptr : place + row * dim;
    };
    dispatch_dtype(x.dtype, [&](auto tag) {
        using T = decltype(tag);
        const token_rows<T>& rows = token_rows_of<T>();
        const T* from = data<T>(x);
        T* to = data<T>(y);
        parallel_for(ctx, batch * tokens, token_grain(dim), [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; ++i) {
                const int64_t k = i % tokens - extra, source = i / tokens * kept + k;
                if (k < 0)
                    rows.embed_token(to + i * dim, token, place_of(0), dim);
                else
                    rows.embed(to + i * dim, from + source * dim,
                               place_of(extra + (id != nullptr ? id[source] : k)), dim);
            }
        });
    });
}

void processor::embed_tokens_backward(context& ctx, const view& dx, const view* dcls,
                                      const view* dposition, const view& dy, const view* ids) {
    const int64_t batch = dx.shape[0], kept = dx.shape[1], dim = dx.shape[2];
    const int64_t tokens = dy.shape[1], extra = tokens - kept;
    double* sum = ctx.scratch<double>(dim);  // of the class tokens
    if (ctx.planning()) return;
    const int32_t* id = data<int32_t>(ids);
    float *dtoken = data<float>(dcls), *dplace = data<float>(dposition);
    dispatch_dtype(dx.dtype, [&](auto tag) {
        using T = decltype(tag);
        const token_rows<T>& rows = token_rows_of<T>();
        const T* from = data<T>(dy);
        T* to = data<T>(dx);
        parallel_for(ctx, batch * kept, token_grain(dim), [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; ++i)
                std::memcpy(to + i * dim, from + (i / kept * tokens + extra + i % kept) * dim,
                            size_t(dim) * sizeof(T));
        });
        if (dtoken != nullptr)
            parallel_for(ctx, dim, channel_grain, [&](int64_t begin, int64_t end) {
                std::fill(sum + begin, sum + end, 0.0);
                for (int64_t b = 0; b < batch; ++b)
                    rows.add_double(sum + begin, from + b * tokens * dim + begin, end - begin);
                for (int64_t c = begin; c < end; ++c) dtoken[c] += float(sum[c]);
            });
        if (dplace != nullptr)
            parallel_for(ctx, dim, channel_grain, [&](int64_t begin, int64_t end) {
                for (int64_t i = 0; i < batch * tokens; ++i) {
                    const int64_t k = i % tokens - extra;
                    const int64_t row =
                        k < 0 ? 0 : extra + (id != nullptr ? id[i / tokens * kept + k] : k);
                    rows.add(dplace + row * dim + begin, from + i * dim + begin, end - begin);
                }
            });
    });
}

}  // namespace mim::cpu
