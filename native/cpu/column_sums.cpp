#include "cpu/column_sums.h"

#include "core/dtype.h"
#include "cpu/processor.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/column_sums.cpp"
#include "hwy/foreach_target.h"

#include "cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mim::cpu {
namespace HWY_NAMESPACE {

void add_rows_to_parts(const context& ctx, const column_sums& sums, const view& x) {
    const int64_t rows = x.shape[0], cols = x.shape[1];
    dispatch_dtype(x.dtype, [&](auto tag) HWY_ATTR {
        using T = decltype(tag);
        parallel_ranges(ctx, rows, 4, [&](int64_t begin, int64_t end, int64_t thread) HWY_ATTR {
            const float_lanes d;
            float* sum = sums.part(thread);
            for (int64_t r = begin; r < end; ++r) {
                const T* row = data<T>(x) + r * x.stride[0];
                for (int64_t n = 0; n < cols; n += lane_count()) {
                    const int64_t left = cols - n;
                    store_some(hn::Add(load_some(d, sum + n, left), load_some(d, row + n, left)), d,
                               sum + n, left);
                }
            }
        });
    });
}

}  // namespace HWY_NAMESPACE
}  // namespace mim::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mim::cpu {

HWY_EXPORT(add_rows_to_parts);

void column_sums::add_rows(const context& ctx, const view& x) const {
    if (parts_ != nullptr) HWY_DYNAMIC_DISPATCH(add_rows_to_parts)(ctx, *this, x);
}

}  // namespace mim::cpu
#endif
