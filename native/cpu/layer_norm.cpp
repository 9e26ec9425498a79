// LayerNorm with the residual addition before it. One thread takes whole rows; a row stays in the
// first-level cache while it is walked two or three times.
//
// Rows may lie far from zero (mean 10, deviation 0.01), where the mean as a float is already off by
// 1e-4 deviations. So values are centred before they are summed, and what rounding left of the mean
// (`rest`, the average of x - mean) is taken off again wherever x - mean is used: forward and
// backward alike.
#include <algorithm>
#include <cmath>

#include "cpu/column_sums.h"
#include "cpu/parallel.h"
#include "cpu/processor.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/layer_norm.cpp"
#include "hwy/foreach_target.h"  // stays ahead of the others

#include "cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mim::cpu {
namespace HWY_NAMESPACE {

constexpr int64_t rows_per_block = 4;

// s - centre for the first `count` lanes, 0 for those behind the row, so that they add nothing to a
// sum.
template <class T>
HWY_INLINE float_vector centred(float_lanes d, const T* s, float_vector centre, int64_t count) {
    const float_vector e = hn::Sub(load_some(d, s, count), centre);
    return count >= lane_count() ? e : hn::IfThenElseZero(hn::FirstN(d, size_t(count)), e);
}

// sum = x + branch in the storage type, so that the statistics are those of the values that
// backward sees.
template <class T>
HWY_INLINE void add_row(T* sum, const T* x, const T* branch, int64_t cols) {
    const float_lanes d;
    for (int64_t c = 0; c < cols; c += lane_count())
        store_some(hn::Add(load_some(d, x + c, cols - c), load_some(d, branch + c, cols - c)), d,
                   sum + c, cols - c);
}

// y = (s - centre - off) rstd gamma + beta, the end of forward
template <class T>
HWY_INLINE void normalise_row(T* y, const T* s, float centre, float rest, float rstd,
                              const float* gamma, const float* beta, int64_t cols) {
    const float_lanes d;
    const float_vector middle = hn::Set(d, centre), off = hn::Set(d, rest),
                       scale = hn::Set(d, rstd);
    for (int64_t c = 0; c < cols; c += lane_count()) {
        const float_vector hat =
            hn::Mul(hn::Sub(hn::Sub(load_some(d, s + c, cols - c), middle), off), scale);
        const float_vector g = load_some(d, gamma + c, cols - c),
                           b = load_some(d, beta + c, cols - c);
        store_some(hn::MulAdd(hat, g, b), d, y + c, cols - c);
    }
}

template <class T>
HWY_INLINE void forward_row(T* y, float* mean, float* rstd, const T* s, const float* gamma,
                            const float* beta, int64_t cols, float eps) {
    const float_lanes d;
    const float start =
        float(s[0]);  // a value of the row: closer to its mean than 0 when the row lies far away
    float_vector shifted = hn::Zero(d);
    for (int64_t c = 0; c < cols; c += lane_count())
        shifted = hn::Add(shifted, centred(d, s + c, hn::Set(d, start), cols - c));
    const float rounded_mean = start + sum_of_lanes(d, shifted) / float(cols);

    const float_vector centre = hn::Set(d, rounded_mean);
    float_vector rests = hn::Zero(d), squares = hn::Zero(d);
    for (int64_t c = 0; c < cols; c += lane_count()) {
        const float_vector e = centred(d, s + c, centre, cols - c);
        rests = hn::Add(rests, e);
        squares = hn::MulAdd(e, e, squares);
    }
    const float rest = sum_of_lanes(d, rests) / float(cols);
    const float variance = std::max(0.0f, sum_of_lanes(d, squares) / float(cols) - rest * rest);
    *mean = rounded_mean + rest;
    *rstd = 1.0f / std::sqrt(variance + eps);

    normalise_row(y, s, rounded_mean, rest, *rstd, gamma, beta, cols);
}

template <class T>
HWY_INLINE void again_row(T* y, const T* s, float mean, float rstd, const float* gamma,
                          const float* beta, int64_t cols) {
    const float_lanes d;
    float_vector rests = hn::Zero(d);
    for (int64_t c = 0; c < cols; c += lane_count())
        rests = hn::Add(rests, centred(d, s + c, hn::Set(d, mean), cols - c));
    const float rest = sum_of_lanes(d, rests) / float(cols);
    normalise_row(y, s, mean, rest, rstd, gamma, beta, cols);
}

// With hat = (sum - mean) rstd and g = dy gamma:  dx = dsum + rstd (g - avg(g) - hat avg(g hat)).
// One walk gathers avg(g hat) before `rest` is known: with e = sum - mean, sum g (e - rest) = sum g
// e - rest sum g.
template <class T>
HWY_INLINE void backward_row(T* dx, float* dgamma, float* dbeta, const T* dy, const T* dsum,
                             const T* s, float mean, float rstd, const float* gamma, int64_t cols) {
    const float_lanes d;
    const float_vector centre = hn::Set(d, mean);
    float_vector rests = hn::Zero(d), g_sum = hn::Zero(d), ge_sum = hn::Zero(d);
    for (int64_t c = 0; c < cols; c += lane_count()) {
        const float_vector e = centred(d, s + c, centre, cols - c);
        const float_vector g =
            hn::Mul(load_some(d, dy + c, cols - c), load_some(d, gamma + c, cols - c));
        rests = hn::Add(rests, e);
        g_sum = hn::Add(g_sum, g);
        ge_sum = hn::MulAdd(g, e, ge_sum);
    }
    const float rest = sum_of_lanes(d, rests) / float(cols),
                average_g = sum_of_lanes(d, g_sum) / float(cols);
    const float average_g_hat = rstd * (sum_of_lanes(d, ge_sum) / float(cols) - rest * average_g);

    const float_vector scale = hn::Set(d, rstd), off = hn::Set(d, rest);
    const float_vector a = hn::Set(d, average_g), b = hn::Set(d, average_g_hat);
    for (int64_t c = 0; c < cols; c += lane_count()) {
        const int64_t left = cols - c;
        const float_vector hat =
            hn::Mul(hn::Sub(hn::Sub(load_some(d, s + c, left), centre), off), scale);
        const float_vector dy_c = load_some(d, dy + c, left);
        const float_vector g = hn::Mul(dy_c, load_some(d, gamma + c, left));
        float_vector dx_c = hn::Mul(scale, hn::NegMulAdd(hat, b, hn::Sub(g, a)));
        if (dsum != nullptr) dx_c = hn::Add(dx_c, load_some(d, dsum + c, left));
        store_some(dx_c, d, dx + c, left);
        store_some(hn::MulAdd(dy_c, hat, load_some(d, dgamma + c, left)), d, dgamma + c, left);
        store_some(hn::Add(dy_c, load_some(d, dbeta + c, left)), d, dbeta + c, left);
    }
}

void layer_norm_forward(context& ctx, const view& y, const view* sum, const view& mean,
                        const view& rstd, const view& x, const view* branch, const view& gamma,
                        const view& beta, float eps) {
    const int64_t rows = x.shape[0], cols = x.shape[1];
    dispatch_dtype(x.dtype, [&](auto tag) HWY_ATTR {
        using T = decltype(tag);
        parallel_for(ctx, rows, rows_per_block, [&](int64_t begin, int64_t end) HWY_ATTR {
            for (int64_t r = begin; r < end; ++r) {
                const T* s = data<T>(x) + r * cols;
                if (branch != nullptr) {
                    add_row(data<T>(sum) + r * cols, s, data<T>(branch) + r * cols, cols);
                    s = data<T>(sum) + r * cols;
                }
                forward_row(data<T>(y) + r * cols, data<float>(mean) + r, data<float>(rstd) + r, s,
                            data<float>(gamma), data<float>(beta), cols, eps);
            }
        });
    });
}

void layer_norm_again(context& ctx, const view& y, const view& sum, const view& mean,
                      const view& rstd, const view& gamma, const view& beta) {
    const int64_t rows = sum.shape[0], cols = sum.shape[1];
    dispatch_dtype(sum.dtype, [&](auto tag) HWY_ATTR {
        using T = decltype(tag);
        parallel_for(ctx, rows, rows_per_block, [&](int64_t begin, int64_t end) HWY_ATTR {
            for (int64_t r = begin; r < end; ++r)
                again_row(data<T>(y) + r * cols, data<T>(sum) + r * cols, data<float>(mean)[r],
                          data<float>(rstd)[r], data<float>(gamma), data<float>(beta), cols);
        });
    });
}

void layer_norm_backward(context& ctx, const view& dx, const column_sums& dgamma,
                         const column_sums& dbeta, const view& dy, const view* dsum,
                         const view& sum, const view& mean, const view& rstd, const view& gamma) {
    const int64_t rows = sum.shape[0], cols = sum.shape[1];
    dispatch_dtype(sum.dtype, [&](auto tag) HWY_ATTR {
        using T = decltype(tag);
        parallel_ranges(ctx, rows, rows_per_block,
                        [&](int64_t begin, int64_t end, int64_t thread) HWY_ATTR {
                            for (int64_t r = begin; r < end; ++r)
                                backward_row(data<T>(dx) + r * cols, dgamma.part(thread),
                                             dbeta.part(thread), data<T>(dy) + r * cols,
                                             dsum == nullptr ? nullptr : data<T>(dsum) + r * cols,
                                             data<T>(sum) + r * cols, data<float>(mean)[r],
                                             data<float>(rstd)[r], data<float>(gamma), cols);
                        });
    });
}

}  // namespace HWY_NAMESPACE
}  // namespace mim::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mim::cpu {

HWY_EXPORT(layer_norm_forward);
HWY_EXPORT(layer_norm_again);
HWY_EXPORT(layer_norm_backward);

void processor::layer_norm_forward(context& ctx, const view& y, const view* sum, const view& mean,
                                   const view& rstd, const view& x, const view* branch,
                                   const view& gamma, const view& beta,
                                   const mim_layer_norm_params& params) {
    if (ctx.planning()) return;
    HWY_DYNAMIC_DISPATCH(layer_norm_forward)
    (ctx, y, sum, mean, rstd, x, branch, gamma, beta, params.eps);
}

void processor::layer_norm_again(context& ctx, const view& y, const view& sum, const view& mean,
                                 const view& rstd, const view& gamma, const view& beta) {
    if (ctx.planning()) return;
    HWY_DYNAMIC_DISPATCH(layer_norm_again)(ctx, y, sum, mean, rstd, gamma, beta);
}

void processor::layer_norm_backward(context& ctx, const view& dx, const view& dgamma,
                                    const view& dbeta, const view& dy, const view* dsum,
                                    const view& sum, const view& mean, const view& rstd,
                                    const view& gamma) {
    column_sums gamma_sums(ctx, sum.shape[1]), beta_sums(ctx, sum.shape[1]);
    if (ctx.planning()) return;
    gamma_sums.clear();
    beta_sums.clear();
    HWY_DYNAMIC_DISPATCH(layer_norm_backward)
    (ctx, dx, gamma_sums, beta_sums, dy, dsum, sum, mean, rstd, gamma);
    gamma_sums.add_to(ctx, data<float>(dgamma));
    beta_sums.add_to(ctx, data<float>(dbeta));
}

}  // namespace mim::cpu
#endif
