// The exact GELU and its derivative, for the op itself and for what is fused with other ops.
#pragma once

#include <cmath>

#include "cuda/gpu.h"

namespace mim::cuda {

struct gelu_and_derivative {
    float value, derivative;
};

// y = x Phi(x) and dy/dx = Phi(x) + x phi(x), Phi the cumulative normal distribution and phi its
// density: one exponential and one reciprocal for both.
//
// With a = |x| the upper tail of the distribution is e^(-a^2/2) R(a), R smooth and falling. In t =
// 1 / (1 + 0.35 a) it is t times a polynomial, fitted for the least largest relative error over 0
// <= a <= 14 (3e-8). So both tails keep their relative accuracy, which 1 + erf(x / sqrt 2) would
// lose for negative x. From 14 on the tail is 0; the bounds keep infinity * 0 from making a NaN,
// and let a NaN in x stay one.
inline __device__ gelu_and_derivative gelu_both(float x) {
    const float size = fabsf(x), a = size >= 14.0f ? 16.0f : size;
    const float t = reciprocal_fast(a * 0.35f + 1.0f);
    // e^(-a^2/2) = 2^s (1 + ln 2 (what rounding took from s))
    constexpr float factor = -0.72134752f;  // -log2(e) / 2
    const float square = a * a, s = square * factor;
    const float lost = fmaf(square, factor, -s);
    const float power = exp2_fast(s);
    const float e = power * (lost * 0.693147181f) + power;
    float r = -0.0291459169f;
    r = r * t + 0.1439716329f;
    r = r * t - 0.2557141209f;
    r = r * t + 0.1591740097f;
    r = r * t - 0.0231097334f;
    r = r * t + 0.1055079621f;
    r = r * t + 0.1198328779f;
    r = r * t + 0.1398618683f;
    r = r * t + 0.1396214044f;
    const float tail = r * t * e;
    const float cumulative = x < 0.0f ? tail : 1.0f - tail;
    const float from_below = x < -14.0f ? -14.0f : x;
    const float bounded = from_below > 14.0f ? 14.0f : from_below;
    return {from_below * cumulative, bounded * (e * 0.398942280f) + cumulative};
}

// y = gelu(x) for count elements of a dtype, f32 or bf16; y may be x.
void run_gelu(gpu& device, int32_t dtype, void* y, const void* x, int64_t count);

}  // namespace mim::cuda
