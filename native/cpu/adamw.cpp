// AdamW on the CPU: parameters, both moments and gradients stream through once. Element by element,
// so the bits depend on no thread count.
#include <algorithm>
#include <cmath>

#include "cpu/parallel.h"
#include "cpu/processor.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/adamw.cpp"
#include "hwy/foreach_target.h"

#include "cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mim::cpu {
namespace HWY_NAMESPACE {

// Shares all elements of all segments out among the threads: body(segment, first element, end).
template <class Body>
void for_each_run(const context& ctx, const mim_segment* segments, int64_t segment_count,
                  Body&& body) {
    int64_t total = 0;
    for (int64_t s = 0; s < segment_count; ++s) total += segments[s].count;
    parallel_for(ctx, total, /*grain=*/16384, [&](int64_t begin, int64_t end) HWY_ATTR {
        int64_t before = 0;  // elements of the segments before s
        for (int64_t s = 0; s < segment_count && before < end; before += segments[s++].count) {
            const int64_t first = std::max(begin - before, int64_t(0));
            const int64_t last = std::min(end - before, segments[s].count);
            if (first < last)
                body(segments[s], segments[s].offset + first, segments[s].offset + last);
        }
    });
}

void adamw_step(context& ctx, const view& p, const view& m, const view& v, const view* p_bf16,
                const view& grad, const view* grad_norm, const view& scalars,
                const mim_segment* segments, int64_t segment_count,
                const mim_adamw_params& params) {
    float *pp = data<float>(p), *pm = data<float>(m), *pv = data<float>(v), *pg = data<float>(grad);
    bf16* rounded = data<bf16>(p_bf16);
    const float* scalar = data<float>(scalars);
    const float_lanes d;

    float_vector clip = hn::Set(d, 1.0f);
    if (grad_norm != nullptr) {
        const float norm = *data<float>(*grad_norm);
        if (!std::isfinite(norm)) {
            for_each_run(ctx, segments, segment_count,
                         [&](const mim_segment&, int64_t begin, int64_t end) {
                             std::fill(pg + begin, pg + end, 0.0f);
                         });
            return;
        }
        if (params.max_norm > 0)
            clip =
                hn::Set(d, float(std::min(1.0, double(params.max_norm) / (double(norm) + 1e-6))));
    }

    // What is fixed for a step or a segment is computed in double and rounded once.
    const float_vector beta1 = hn::Set(d, params.beta1),
                       rest1 = hn::Set(d, float(1 - double(params.beta1)));
    const float_vector beta2 = hn::Set(d, params.beta2),
                       rest2 = hn::Set(d, float(1 - double(params.beta2)));
    const float_vector eps = hn::Set(d, params.eps);
    const float_vector scale =
        hn::Set(d, float(1 / std::sqrt(double(scalar[MIM_ADAMW_CORRECTION2]))));

    for_each_run(ctx, segments, segment_count,
                 [&](const mim_segment& s, int64_t begin, int64_t end) HWY_ATTR {
                     const double lr = double(scalar[MIM_ADAMW_LR]) * double(s.lr_scale);
                     const float_vector decay = hn::Set(d, float(1 - lr * double(s.weight_decay)));
                     const float_vector rate =
                         hn::Set(d, float(lr / double(scalar[MIM_ADAMW_CORRECTION1])));
                     for (int64_t i = begin; i < end; i += lane_count()) {
                         const int64_t left = end - i;
                         const float_vector g = hn::Mul(clip, load_some(d, pg + i, left));
                         const float_vector m1 =
                             hn::MulAdd(rest1, g, hn::Mul(beta1, load_some(d, pm + i, left)));
                         const float_vector v1 = hn::MulAdd(
                             hn::Mul(rest2, g), g, hn::Mul(beta2, load_some(d, pv + i, left)));
                         const float_vector root =
                             hn::MulAdd(scale, hn::Sqrt(v1), eps);  // sqrt(v / c2) + eps
                         const float_vector p0 = hn::Mul(decay, load_some(d, pp + i, left));
                         const float_vector p1 = hn::Sub(p0, hn::Div(hn::Mul(rate, m1), root));
                         store_some(p1, d, pp + i, left);
                         store_some(m1, d, pm + i, left);
                         store_some(v1, d, pv + i, left);
                         store_some(hn::Zero(d), d, pg + i, left);
                         if (rounded != nullptr) store_some(p1, d, rounded + i, left);
                     }
                 });
}

}  // namespace HWY_NAMESPACE
}  // namespace mim::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mim::cpu {

HWY_EXPORT(adamw_step);

void processor::adamw_step(context& ctx, const view& p, const view& m, const view& v,
                           const view* p_bf16, const view& grad, const view* grad_norm,
                           const view& scalars, const mim_segment* segments, int64_t segment_count,
                           const mim_adamw_params& params) {
    if (ctx.planning()) return;
    HWY_DYNAMIC_DISPATCH(adamw_step)
    (ctx, p, m, v, p_bf16, grad, grad_norm, scalars, segments, segment_count, params);
}

}  // namespace mim::cpu
#endif
