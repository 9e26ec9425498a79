// Cross entropy on the CPU. A thread takes whole rows, which stay in its cache while they are walked:
// for the largest logit, for the sums, for the gradient. The losses of rows are added in their order,
// so the bits depend on no thread count.
#include <algorithm>
#include <cmath>

#include "cpu/parallel.h"
#include "cpu/processor.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/cross_entropy.cpp"
#include "hwy/foreach_target.h"  // stays ahead of the others

#include "cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mim::cpu {
namespace HWY_NAMESPACE {

// One row of logits z and what is wanted of it: q = on t + off.
template <class T>
struct row_of_logits {
    const T* logits;
    const float* targets;  // t; null: 1 at the label, else 0
    int32_t label;
    int64_t classes;
    float on, off;

    HWY_INLINE float_vector wanted(int64_t k, int64_t left) const {
        const float_lanes d;
        const hn::Rebind<int32_t, float_lanes> d32;
        const float_vector one = hn::Set(d, 1.0f), shared = hn::Set(d, off);
        const auto is_label =
            hn::RebindMask(d, hn::Eq(hn::Iota(d32, int32_t(k)), hn::Set(d32, label)));
        const float_vector t = targets != nullptr ? load_some(d, targets + k, left)
                                                  : hn::IfThenElseZero(is_label, one);
        return hn::MulAdd(hn::Set(d, on), t, shared);
    }

    float largest() const {
        const float_lanes d;
        const float_vector first = hn::Set(d, float(logits[0]));
        float_vector most = first;
        for (int64_t k = 0; k < classes; k += lane_count()) {
            const int64_t left = classes - k;
            const float_vector z = load_some(d, logits + k, left);
            most = hn::Max(most, left >= lane_count()
                                     ? z
                                     : hn::IfThenElse(hn::FirstN(d, size_t(left)), z, first));
        }
        return max_of_lanes(d, most);
    }

    // Returns - sum_k q log p, and writes dz = weight (p sum q - q) where it is wanted; with m the
    // largest logit, log p = (z - m) - log sum exp(z - m).
    double compare(T* dz, float weight) const {
        const float_lanes d;
        const float_vector m = hn::Set(d, largest());
        const double exps = sum_over(classes, [&](int64_t k, int64_t left) HWY_ATTR {
            return exp(d, hn::Sub(load_some(d, logits + k, left), m));
        });
        // a class that is not wanted adds nothing, even where its logit is -infinity
        const double product = sum_over(classes, [&](int64_t k, int64_t left) HWY_ATTR {
            const float_vector q = wanted(k, left);
            const float_vector z = hn::Sub(load_some(d, logits + k, left), m);
            return hn::IfThenZeroElse(hn::Eq(q, hn::Zero(d)), hn::Mul(q, z));
        });
        const double whole =
            targets == nullptr ? 1 : sum_over(classes, [&](int64_t k, int64_t left) HWY_ATTR {
                return wanted(k, left);
            });
        if (dz != nullptr) {
            const float_vector w = hn::Set(d, weight), scale = hn::Set(d, float(whole / exps));
            for (int64_t k = 0; k < classes; k += lane_count()) {
                const int64_t left = classes - k;
                const float_vector e = exp(d, hn::Sub(load_some(d, logits + k, left), m));
                const float_vector g = hn::Mul(w, hn::MulSub(e, scale, wanted(k, left)));
                store_some(g, d, dz + k, left);
            }
        }
        return whole * std::log(exps) - product;
    }
};

void compare_rows(const context& ctx, double* losses, const view* dlogits, const view& logits,
                  const int32_t* labels, const float* targets,
                  const mim_cross_entropy_params& params) {
    const int64_t rows = logits.shape[0], classes = logits.shape[1];
    const float on = 1 - params.smoothing, off = params.smoothing / float(classes);
    const float weight = float(double(params.grad_scale) / double(rows));
    const int64_t grain = std::max<int64_t>(1, 2048 / classes);
    dispatch_dtype(logits.dtype, [&](auto tag) HWY_ATTR {
        using T = decltype(tag);
        const T* z = data<T>(logits);
        T* dz = data<T>(dlogits);
        parallel_for(ctx, rows, grain, [&](int64_t begin, int64_t end) HWY_ATTR {
            for (int64_t r = begin; r < end; ++r) {
                const row_of_logits<T> row = {z + r * classes,
                                              targets == nullptr ? nullptr : targets + r * classes,
                                              labels == nullptr ? 0 : labels[r],
                                              classes,
                                              on,
                                              off};
                losses[r] = row.compare(dz == nullptr ? nullptr : dz + r * classes, weight);
            }
        });
    });
}

}  // namespace HWY_NAMESPACE
}  // namespace mim::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mim::cpu {

HWY_EXPORT(compare_rows);

void processor::cross_entropy(context& ctx, const view& loss, const view* loss_per_row,
                              const view* dlogits, const view& logits, const view* labels,
                              const view* targets, const mim_cross_entropy_params& params) {
    const int64_t rows = logits.shape[0];
    double* losses = ctx.scratch<double>(rows);
    if (ctx.planning()) return;
    HWY_DYNAMIC_DISPATCH(compare_rows)
    (ctx, losses, dlogits, logits, data<int32_t>(labels), data<float>(targets), params);
    double total = 0;
    for (int64_t r = 0; r < rows; ++r) total += losses[r];
    *data<float>(loss) = float(total / double(rows));
    if (loss_per_row != nullptr)
        std::transform(losses, losses + rows, data<float>(*loss_per_row),
                       [](double l) { return float(l); });
}

}  // namespace mim::cpu
#endif
