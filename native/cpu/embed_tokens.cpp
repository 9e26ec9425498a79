// Encoder tokens on the CPU: forward and dx are parallel over tokens, parameter gradients over
// channels.
#include <cstring>

#include "cpu/parallel.h"
#include "cpu/processor.h"
#include "cpu/token_rows.h"

namespace mim::cpu {

void processor::embed_tokens_forward(context& ctx, const view& y, const view& x, const view* cls,
                                     const view* position, const view* ids, const view* mask,
                                     const view* mask_token) {
    if (ctx.planning()) return;
    const int64_t batch = x.shape[0], kept = x.shape[1], dim = x.shape[2];
    const int64_t tokens = y.shape[1], extra = tokens - kept;
    const int32_t* id = data<int32_t>(ids);
    const float *token = data<float>(cls), *place = data<float>(position);
    const float *masked = data<float>(mask), *substitute = data<float>(mask_token);
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
                if (k < 0) {
                    rows.embed_token(to + i * dim, token, place_of(0), dim);
                    continue;
                }
                const float* here = place_of(extra + (id != nullptr ? id[source] : k));
                if (masked != nullptr && masked[source] != 0)
                    rows.embed_token(to + i * dim, substitute, here, dim);
                else
                    rows.embed(to + i * dim, from + source * dim, here, dim);
            }
        });
    });
}

void processor::embed_tokens_backward(context& ctx, const view& dx, const view* dcls,
                                      const view* dposition, const view* dmask_token,
                                      const view& dy, const view* ids, const view* mask) {
    const int64_t batch = dx.shape[0], kept = dx.shape[1], dim = dx.shape[2];
    const int64_t tokens = dy.shape[1], extra = tokens - kept;
    double* sum = ctx.scratch<double>(dim);  // of the class tokens, then of the masked ones
    if (ctx.planning()) return;
    const int32_t* id = data<int32_t>(ids);
    const float* masked = data<float>(mask);
    float *dtoken = data<float>(dcls), *dplace = data<float>(dposition);
    float* dsubstitute = data<float>(dmask_token);
    const auto is_masked = [=](int64_t i) { return masked != nullptr && masked[i] != 0; };
    const auto token_of = [=](int64_t i) { return i / kept * tokens + extra + i % kept; };
    dispatch_dtype(dx.dtype, [&](auto tag) {
        using T = decltype(tag);
        const token_rows<T>& rows = token_rows_of<T>();
        const T* from = data<T>(dy);
        T* to = data<T>(dx);
        parallel_for(ctx, batch * kept, token_grain(dim), [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; ++i)
                if (is_masked(i))
                    std::fill_n(to + i * dim, dim, T());
                else
                    std::memcpy(to + i * dim, from + token_of(i) * dim, size_t(dim) * sizeof(T));
        });
        if (dtoken != nullptr)
            parallel_for(ctx, dim, channel_grain, [&](int64_t begin, int64_t end) {
                std::fill(sum + begin, sum + end, 0.0);
                for (int64_t b = 0; b < batch; ++b)
                    rows.add_double(sum + begin, from + b * tokens * dim + begin, end - begin);
                for (int64_t c = begin; c < end; ++c) dtoken[c] += float(sum[c]);
            });
        if (dsubstitute != nullptr)
            parallel_for(ctx, dim, channel_grain, [&](int64_t begin, int64_t end) {
                std::fill(sum + begin, sum + end, 0.0);
                for (int64_t i = 0; i < batch * kept; ++i)
                    if (is_masked(i))
                        rows.add_double(sum + begin, from + token_of(i) * dim + begin, end - begin);
                for (int64_t c = begin; c < end; ++c) dsubstitute[c] += float(sum[c]);
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
