// Sum of two tensors on the CPU. Element by element, so the bits depend on no thread count.
#include "cpu/parallel.h"
#include "cpu/processor.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/add.cpp"
#include "hwy/foreach_target.h"

#include "cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mim::cpu {
namespace HWY_NAMESPACE {

void add(context& ctx, const view& y, const view& a, const view& b) {
    dispatch_dtype(a.dtype, [&](auto tag) HWY_ATTR {
        using T = decltype(tag);
        const T *pa = data<T>(a), *pb = data<T>(b);
        T* py = data<T>(y);
        parallel_for(ctx, elements(a), 4096, [&](int64_t begin, int64_t end) HWY_ATTR {
            const float_lanes d;
            for (int64_t i = begin; i < end; i += lane_count())
                store_some(hn::Add(load_some(d, pa + i, end - i), load_some(d, pb + i, end - i)), d,
                           py + i, end - i);
        });
    });
}

}  // namespace HWY_NAMESPACE
}  // namespace mim::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mim::cpu {

HWY_EXPORT(add);

void processor::add(context& ctx, const view& y, const view& a, const view& b) {
    if (ctx.planning()) return;
    HWY_DYNAMIC_DISPATCH(add)(ctx, y, a, b);
}

}  // namespace mim::cpu
#endif
