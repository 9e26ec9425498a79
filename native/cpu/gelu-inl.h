// The exact GELU and its derivative as vector functions: for the op itself, and for what is fused
// behind other ops.
#if defined(MIM_CPU_GELU_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MIM_CPU_GELU_INL_H
#undef MIM_CPU_GELU_INL_H
#else
#define MIM_CPU_GELU_INL_H
#endif

#include "cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mim::cpu {
namespace HWY_NAMESPACE {

// The normal distribution at x: `density` is e^(-x^2/2) / sqrt(2 pi), `cumulative` its integral up
// to x.
//
// With a = |x| the upper tail is e^(-a^2/2) R(a), R smooth and falling. In t = 1 / (1 + 0.35 a) it
// is t times a polynomial, fitted for the least largest relative error over 0 <= a <= 14 (3e-8). So
// both tails keep their relative accuracy, which 1 + erf(x / sqrt 2) would lose for negative x, and
// value and derivative share one exponential.
struct normal_distribution {
    float_vector cumulative, density;
};

HWY_INLINE normal_distribution normal(float_lanes d, float_vector x) {
    const float_vector a = hn::Abs(x), one = hn::Set(d, 1.0f);
    const float_vector t = hn::Div(one, hn::MulAdd(a, hn::Set(d, 0.35f), one));
    const float_vector e = exp(d, hn::Mul(hn::Mul(a, a), hn::Set(d, -0.5f)));
    float_vector r = hn::Set(d, -0.0291459169f);
    r = hn::MulAdd(r, t, hn::Set(d, 0.1439716329f));
    r = hn::MulAdd(r, t, hn::Set(d, -0.2557141209f));
    r = hn::MulAdd(r, t, hn::Set(d, 0.1591740097f));
    r = hn::MulAdd(r, t, hn::Set(d, -0.0231097334f));
    r = hn::MulAdd(r, t, hn::Set(d, 0.1055079621f));
    r = hn::MulAdd(r, t, hn::Set(d, 0.1198328779f));
    r = hn::MulAdd(r, t, hn::Set(d, 0.1398618683f));
    r = hn::MulAdd(r, t, hn::Set(d, 0.1396214044f));
    const float_vector tail = hn::Mul(hn::Mul(r, t), e);
    const float_vector cumulative =
        hn::IfThenElse(hn::Lt(x, hn::Zero(d)), tail, hn::Sub(one, tail));
    return {cumulative, hn::Mul(e, hn::Set(d, 0.398942280f))};
}

// y = x Phi(x) and dy/dx = Phi(x) + x phi(x). Beyond 14 the tail is 0; the bounds keep -inf * 0 from
// making a NaN. Max returns its second argument when unordered, so a NaN in x stays one.
struct gelu_and_derivative {
    float_vector value, derivative;
};

HWY_INLINE gelu_and_derivative gelu_both(float_lanes d, float_vector x) {
    const normal_distribution n = normal(d, x);
    const float_vector from_below = hn::Max(hn::Set(d, -14.0f), x);
    return {hn::Mul(from_below, n.cumulative),
            hn::MulAdd(hn::Min(hn::Set(d, 14.0f), from_below), n.density, n.cumulative)};
}

HWY_INLINE float_vector gelu(float_lanes d, float_vector x) {
    return gelu_both(d, x).value;
}

HWY_INLINE float_vector gelu_derivative(float_lanes d, float_vector x) {
    return gelu_both(d, x).derivative;
}

}  // namespace HWY_NAMESPACE
}  // namespace mim::cpu
HWY_AFTER_NAMESPACE();

#endif  // once per instruction set
