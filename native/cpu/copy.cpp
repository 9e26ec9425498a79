// Copy and fill on the CPU.
#include <cstring>

#include "cpu/parallel.h"
#include "cpu/processor.h"

namespace mim::cpu {

namespace {

// Walks the rows [begin, end) of all elements in row-major order, one innermost row at a time:
// row(destination offset, source offset).
template <class Row>
void for_each_row(const view& dst, const view& src, int64_t begin, int64_t end, Row&& row) {
    const int32_t outer = dst.rank - 1;
    int64_t index[MIM_MAX_RANK] = {}, to = 0, from = 0;
    for (int64_t i = outer - 1, left = begin; i >= 0; left /= dst.shape[i--]) {
        index[i] = left % dst.shape[i];
        to += index[i] * dst.stride[i];
        from += index[i] * src.stride[i];
    }
    for (int64_t r = begin; r < end; ++r) {
        row(to, from);
        for (int32_t i = outer - 1; i >= 0; --i) {
            to += dst.stride[i];
            from += src.stride[i];
            if (++index[i] < dst.shape[i]) break;
            to -= index[i] * dst.stride[i];
            from -= index[i] * src.stride[i];
            index[i] = 0;
        }
    }
}

template <class To, class From>
void copy_rows(const context& ctx, const view& dst, const view& src) {
    const int64_t n = dst.shape[dst.rank - 1], rows = elements(dst) / n;
    const int64_t to_stride = dst.stride[dst.rank - 1], from_stride = src.stride[src.rank - 1];
    To* to = data<To>(dst);
    const From* from = data<From>(src);
    parallel_for(ctx, rows, std::max<int64_t>(1, 4096 / n), [&](int64_t begin, int64_t end) {
        for_each_row(dst, src, begin, end, [&](int64_t t, int64_t f) {
            for (int64_t i = 0; i < n; ++i) {
                if constexpr (std::is_same_v<To, From>)
                    to[t + i * to_stride] = from[f + i * from_stride];
                else
                    to[t + i * to_stride] = To(float(from[f + i * from_stride]));
            }
        });
    });
}

}  // namespace

void processor::copy(context& ctx, const view& dst, const view& src) {
    if (ctx.planning()) return;
    if (dst.dtype == src.dtype && is_dense(dst) && is_dense(src)) {
        std::memmove(dst.data, src.data, size_t(elements(dst) * dtype_bytes(dst.dtype)));
        return;
    }
    if (dst.dtype == MIM_BF16 && src.dtype == MIM_F32) return copy_rows<bf16, float>(ctx, dst, src);
    if (dst.dtype == MIM_F32 && src.dtype == MIM_BF16) return copy_rows<float, bf16>(ctx, dst, src);
    switch (dtype_bytes(dst.dtype)) {
        case 1:
            return copy_rows<uint8_t, uint8_t>(ctx, dst, src);
        case 2:
            return copy_rows<uint16_t, uint16_t>(ctx, dst, src);
        case 4:
            return copy_rows<uint32_t, uint32_t>(ctx, dst, src);
        default:
            return copy_rows<uint64_t, uint64_t>(ctx, dst, src);
    }
}

void processor::fill(context& ctx, const view& y, float value) {
    if (ctx.planning()) return;
    dispatch_dtype(y.dtype, [&](auto tag) {
        using T = decltype(tag);
        T* p = data<T>(y);
        parallel_for(ctx, elements(y), 4096,
                     [&](int64_t begin, int64_t end) { std::fill(p + begin, p + end, T(value)); });
    });
}

}  // namespace mim::cpu
