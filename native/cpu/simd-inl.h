// Vector pieces that the CPU kernels share: storage to float and back with tails, exp, sums over
// lanes.
//
// A kernel file is compiled once per instruction set and picks one at run time. Its frame:
//
//     #undef HWY_TARGET_INCLUDE
//     #define HWY_TARGET_INCLUDE "cpu/<op>.cpp"
//     #include "hwy/foreach_target.h"  // compiles this file again for each instruction set
//
//     #include "cpu/simd-inl.h"        // after foreach_target.h; ordinary headers come before it
//
//     HWY_BEFORE_NAMESPACE();
//     namespace mim::cpu {
//     namespace HWY_NAMESPACE {
//     void <op>(...) { ... }           // a lambda in here has HWY_ATTR behind its parameters
//     }
//     }
//     HWY_AFTER_NAMESPACE();
//
//     #if HWY_ONCE
//     namespace mim::cpu {
//     HWY_EXPORT(<op>);
//     void processor::<op>(...) { HWY_DYNAMIC_DISPATCH(<op>)(...); }
//     }
//     #endif
#if defined(MIM_CPU_SIMD_INL_H) == defined(HWY_TARGET_TOGGLE)  // once per instruction set, not once
#ifdef MIM_CPU_SIMD_INL_H
#undef MIM_CPU_SIMD_INL_H
#else
#define MIM_CPU_SIMD_INL_H
#endif

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "core/dtype.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace mim::cpu {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using float_lanes = hn::ScalableTag<float>;  // as many floats as a register holds: 1, 4, 8 or 16
using float_vector = hn::Vec<float_lanes>;

// Lanes of a float vector. Each possible count divides 16, so rows padded to 16 floats (64 bytes)
// suit every instruction set.
HWY_INLINE int64_t lane_count() {
    return int64_t(hn::Lanes(float_lanes()));
}

// ---- storage to float and back; no alignment beyond the element's is needed ----

HWY_INLINE float_vector load(float_lanes d, const float* from) {
    return hn::LoadU(d, from);
}

HWY_INLINE float_vector load(float_lanes d, const bf16* from) {
    const hn::Rebind<uint16_t, float_lanes> d16;
    const hn::Rebind<uint32_t, float_lanes> d32;
    const auto bits = hn::LoadU(d16, reinterpret_cast<const uint16_t*>(from));
    return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(d32, bits)));
}

HWY_INLINE void store(float_vector v, float_lanes d, float* to) {
    hn::StoreU(v, d, to);
}

// Rounds to nearest even, exactly as bf16(float) does; a NaN stays one, for its quiet bit is set.
HWY_INLINE void store(float_vector v, float_lanes, bf16* to) {
    const hn::Rebind<uint16_t, float_lanes> d16;
    const hn::Rebind<uint32_t, float_lanes> d32;
    const hn::Rebind<int32_t, float_lanes> i32;
    const auto bits = hn::BitCast(d32, v);
    const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(d32, 1u));
    const auto rounded = hn::Add(bits, hn::Add(odd, hn::Set(d32, 0x7fffu)));
    const auto quiet = hn::Or(bits, hn::Set(d32, 0x400000u));
    const auto kept = hn::IfThenElse(hn::RebindMask(d32, hn::IsNaN(v)), quiet, rounded);
    const auto upper = hn::DemoteTo(d16, hn::BitCast(i32, hn::ShiftRight<16>(kept)));
    hn::StoreU(upper, d16, reinterpret_cast<uint16_t*>(to));
}

// The first `count` elements (0 to a full vector); the lanes behind them are 0. Memory past them is
// not touched.
template <class T>
HWY_INLINE float_vector load_first(float_lanes d, const T* from, int64_t count) {
#if HWY_TARGET <= HWY_AVX2
    if constexpr (std::is_same_v<T, float>)
        return hn::MaskedLoad(hn::FirstN(d, size_t(count)), d, from);
#endif
    HWY_ALIGN T padded[hn::MaxLanes(float_lanes())] = {};
    std::memcpy(static_cast<void*>(padded), from, size_t(count) * sizeof(T));
    return load(d, padded);
}

// Stores the first `count` lanes (0 to a full vector) and nothing else.
template <class T>
HWY_INLINE void store_first(float_vector v, float_lanes d, T* to, int64_t count) {
#if HWY_TARGET <= HWY_AVX2
    if constexpr (std::is_same_v<T, float>)
        return hn::BlendedStore(v, hn::FirstN(d, size_t(count)), d, to);
#endif
    HWY_ALIGN T padded[hn::MaxLanes(float_lanes())];
    store(v, d, padded);
    std::memcpy(static_cast<void*>(to), padded, size_t(count) * sizeof(T));
}

// For loops that step by whole vectors: of the `count` elements left, at most a vector is taken.
template <class T>
HWY_INLINE float_vector load_some(float_lanes d, const T* from, int64_t count) {
    return count >= lane_count() ? load(d, from) : load_first(d, from, count);
}
template <class T>
HWY_INLINE void store_some(float_vector v, float_lanes d, T* to, int64_t count) {
    if (count >= lane_count())
        store(v, d, to);
    else
        store_first(v, d, to, count);
}

// ---- arithmetic ----

HWY_INLINE float sum_of_lanes(float_lanes d, float_vector v) {
    return hn::GetLane(hn::SumOfLanes(d, v));
}
HWY_INLINE float max_of_lanes(float_lanes d, float_vector v) {
    return hn::GetLane(hn::MaxOfLanes(d, v));
}

// Sums term(i, left), the vector that begins at i of `left` elements: floats within a stretch, doubles
// between stretches, so that many elements are summed as well as few. Lanes past the end do not count.
template <class Term>
HWY_INLINE double sum_over(int64_t count, Term&& term) {
    constexpr int64_t stretch = 2048;
    const float_lanes d;
    double sum = 0;
    for (int64_t begin = 0; begin < count; begin += stretch) {
        const int64_t end = std::min(count, begin + stretch);
        float_vector part = hn::Zero(d);
        for (int64_t i = begin; i < end; i += lane_count()) {
            const float_vector x = term(i, end - i);
            part = hn::Add(part, end - i >= lane_count()
                                     ? x
                                     : hn::IfThenElseZero(hn::FirstN(d, size_t(end - i)), x));
        }
        sum += double(sum_of_lanes(d, part));
    }
    return sum;
}

// e^x to about 1 unit in the last place. Results below 2^-126 are 0 (so exp(-inf) is), above the
// largest float inf; a NaN stays one.
//   x = n ln 2 + r with |r| <= ln(2) / 2;  e^x = 2^n e^r;  e^r = 1 + r + r^2 g(r), where g has
//   degree 4 and the least largest relative error (3e-9).
HWY_INLINE float_vector exp(float_lanes d, float_vector x) {
    const hn::Rebind<int32_t, float_lanes> d32;
    const float_vector magic = hn::Set(d, 12582912.0f);  // 1.5 * 2^23: the sum's low bits are n
    const float_vector shifted = hn::MulAdd(x, hn::Set(d, 1.44269504f), magic);
    const float_vector n = hn::Sub(shifted, magic);
    // ln 2 in two parts, of which n times the first is exact
    float_vector r = hn::NegMulAdd(n, hn::Set(d, 0.693359375f), x);
    r = hn::NegMulAdd(n, hn::Set(d, -2.12194440e-4f), r);
    float_vector g = hn::Set(d, 0.0013814620f);
    g = hn::MulAdd(g, r, hn::Set(d, 0.0083687100f));
    g = hn::MulAdd(g, r, hn::Set(d, 0.0416683873f));
    g = hn::MulAdd(g, r, hn::Set(d, 0.1666652069f));
    g = hn::MulAdd(g, r, hn::Set(d, 0.4999999345f));
    const float_vector power = hn::Add(hn::MulAdd(hn::Mul(r, r), g, r), hn::Set(d, 1.0f));
    // 2^n goes straight into the exponent; outside of the limits the bits are nonsense and replaced
    const auto exponent = hn::ShiftLeft<23>(hn::BitCast(d32, shifted));
    const float_vector y = hn::BitCast(d, hn::Add(hn::BitCast(d32, power), exponent));
    const float_vector infinity = hn::Set(d, std::numeric_limits<float>::infinity());
    const float_vector bounded = hn::IfThenElse(hn::Gt(x, hn::Set(d, 88.7228394f)), infinity, y);
    const float_vector flushed = hn::IfThenZeroElse(hn::Lt(x, hn::Set(d, -87.3365402f)), bounded);
    return hn::IfThenElse(hn::IsNaN(x), x, flushed);
}

}  // namespace HWY_NAMESPACE
}  // namespace mim::cpu
HWY_AFTER_NAMESPACE();

#endif  // once per instruction set
