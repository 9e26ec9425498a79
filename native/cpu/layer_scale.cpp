// LayerScale and stochastic depth on the CPU, one pass over the rows either way. Backward is forward
// applied to dy, with the sums of gamma's gradient gathered from the same loads: so dx may lie on
// dy, as y may on x.
#include "cpu/column_sums.h"
#include "cpu/parallel.h"
#include "cpu/processor.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/layer_scale.cpp"
#include "hwy/foreach_target.h"  // stays ahead of the others

#include "cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mim::cpu {
namespace HWY_NAMESPACE {

constexpr int64_t rows_per_block = 4;

// to[c] = from[c] gamma[c] s; where the sums are wanted, sums[c] += from[c] x[c] s
template <class T>
HWY_INLINE void scale_row(T* to, float* sums, const T* from, const T* x, const float* gamma,
                          float s, int64_t cols) {
    const float_lanes d;
    const float_vector scale = hn::Set(d, s);
    for (int64_t c = 0; c < cols; c += lane_count()) {
        const int64_t left = cols - c;
        const float_vector scaled = hn::Mul(load_some(d, from + c, left), scale);
        if (sums != nullptr)
            store_some(hn::MulAdd(scaled, load_some(d, x + c, left), load_some(d, sums + c, left)),
                       d, sums + c, left);
        store_some(gamma == nullptr ? scaled : hn::Mul(scaled, load_some(d, gamma + c, left)), d,
                   to + c, left);
    }
}

void layer_scale(context& ctx, const view& to, const column_sums* sums, const view& from,
                 const view* x, const view* gamma, const view* sample_scale) {
    const int64_t rows = from.shape[0], cols = from.shape[1];
    const float* scales = data<float>(sample_scale);
    const int64_t rows_per_sample = sample_scale == nullptr ? rows : rows / sample_scale->shape[0];
    dispatch_dtype(from.dtype, [&](auto tag) HWY_ATTR {
        using T = decltype(tag);
        parallel_ranges(
            ctx, rows, rows_per_block, [&](int64_t begin, int64_t end, int64_t thread) HWY_ATTR {
                float* sum = sums == nullptr ? nullptr : sums->part(thread);
                for (int64_t r = begin; r < end; ++r)
                    scale_row(data<T>(to) + r * cols, sum, data<T>(from) + r * cols,
                              sum == nullptr ? nullptr : data<T>(x) + r * cols, data<float>(gamma),
                              scales == nullptr ? 1.0f : scales[r / rows_per_sample], cols);
            });
    });
}

}  // namespace HWY_NAMESPACE
}  // namespace mim::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mim::cpu {

HWY_EXPORT(layer_scale);

void processor::layer_scale_forward(context& ctx, const view& y, const view& x, const view* gamma,
                                    const view* sample_scale) {
    if (ctx.planning()) return;
    HWY_DYNAMIC_DISPATCH(layer_scale)(ctx, y, nullptr, x, nullptr, gamma, sample_scale);
}

void processor::layer_scale_backward(context& ctx, const view& dx, const view* dgamma,
                                     const view& dy, const view* x, const view* gamma,
                                     const view* sample_scale) {
    column_sums sums(ctx, dy.shape[1], dgamma != nullptr);
    if (ctx.planning()) return;
    sums.clear();
    HWY_DYNAMIC_DISPATCH(layer_scale)(ctx, dx, &sums, dy, x, gamma, sample_scale);
    sums.add_to(ctx, data<float>(dgamma));
}

}  // namespace mim::cpu
#endif
