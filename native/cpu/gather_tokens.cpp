// Gather on the CPU: whole tokens are copied, whatever their dtype.
#include <cstring>

#include "cpu/parallel.h"
#include "cpu/processor.h"
#include "cpu/token_rows.h"

namespace mim::cpu {

void processor::gather_tokens_forward(context& ctx, const view& y, const view& x, const view& ids,
                                      const mim_gather_tokens_params& params) {
    if (ctx.planning()) return;
    const int64_t batch = y.shape[0], kept = y.shape[1], tokens = x.shape[1], dim = x.shape[2];
    const int64_t bytes = dim * dtype_bytes(x.dtype);
    const int32_t* id = data<int32_t>(ids);
    const char* from = data<char>(x);
    char* to = data<char>(y);
    parallel_for(ctx, batch * kept, token_grain(dim), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i)
            std::memcpy(to + i * bytes, from + (i / kept * tokens + params.first + id[i]) * bytes,
                        size_t(bytes));
    });
}

// Every token of dx is written once: `source` says which token of dy it takes, -1 for none.
void processor::gather_tokens_backward(context& ctx, const view& dx, const view& dy,
                                       const view& ids, const mim_gather_tokens_params& params) {
    const int64_t batch = dy.shape[0], kept = dy.shape[1], tokens = dx.shape[1], dim = dx.shape[2];
    int64_t* source = ctx.scratch<int64_t>(batch * tokens);
    if (ctx.planning()) return;
    const int64_t bytes = dim * dtype_bytes(dx.dtype);
    const int32_t* id = data<int32_t>(ids);
    const char* from = data<char>(dy);
    char* to = data<char>(dx);
    std::fill_n(source, batch * tokens, int64_t(-1));
    for (int64_t i = 0; i < batch * kept; ++i) source[i / kept * tokens + params.first + id[i]] = i;
    parallel_for(ctx, batch * tokens, token_grain(dim), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
            if (source[i] >= 0)
                std::memcpy(to + i * bytes, from + source[i] * bytes, size_t(bytes));
            else
                std::memset(to + i * bytes, 0, size_t(bytes));
        }
    });
}

}  // namespace mim::cpu
