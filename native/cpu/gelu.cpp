// Exact GELU on the CPU. Element by element, so the bits depend on no thread count.
#include "cpu/parallel.h"
#include "cpu/processor.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/gelu.cpp"
#include "hwy/foreach_target.h"

#include "cpu/gelu-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mim::cpu {
namespace HWY_NAMESPACE {

void gelu_forward(context& ctx, const view& y, const view& x) {
    dispatch_dtype(x.dtype, [&](auto tag) HWY_ATTR {
        using T = decltype(tag);
        const T* px = data<T>(x);
        T* py = data<T>(y);
        parallel_for(ctx, elements(x), 1024, [&](int64_t begin, int64_t end) HWY_ATTR {
            const float_lanes d;
            for (int64_t i = begin; i < end; i += lane_count())
                store_some(gelu(d, load_some(d, px + i, end - i)), d, py + i, end - i);
        });
    });
}

void gelu_backward(context& ctx, const view& dx, const view& dy, const view& x) {
    dispatch_dtype(x.dtype, [&](auto tag) HWY_ATTR {
        using T = decltype(tag);
        const T *px = data<T>(x), *pdy = data<T>(dy);
        T* pdx = data<T>(dx);
        parallel_for(ctx, elements(x), 1024, [&](int64_t begin, int64_t end) HWY_ATTR {
            const float_lanes d;
            for (int64_t i = begin; i < end; i += lane_count()) {
                const float_vector slope = gelu_derivative(d, load_some(d, px + i, end - i));
                store_some(hn::Mul(slope, load_some(d, pdy + i, end - i)), d, pdx + i, end - i);
            }
        });
    });
}

}  // namespace HWY_NAMESPACE
}  // namespace mim::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mim::cpu {

HWY_EXPORT(gelu_forward);
HWY_EXPORT(gelu_backward);

void processor::gelu_forward(context& ctx, const view& y, const view& x) {
    if (ctx.planning()) return;
    HWY_DYNAMIC_DISPATCH(gelu_forward)(ctx, y, x);
}

void processor::gelu_backward(context& ctx, const view& dx, const view& dy, const view& x) {
    if (ctx.planning()) return;
    HWY_DYNAMIC_DISPATCH(gelu_backward)(ctx, dx, dy, x);
}

}  // namespace mim::cpu
#endif
