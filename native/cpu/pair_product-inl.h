// Products of matrices of bf16 that lie in cache, two numbers at a time: a pair of bf16 stands where
// `product` has a float, so its blocks and loops serve both.
//
// Pairs lie along the dimension that is summed over. Of a matrix with rows of bf16, padded with
// zeros, there are three readings:
//
//     its own rows   pair (i, c) = from[i, 2c], from[i, 2c+1]    A, or its transpose a B
//     pair_columns   pair (c, i) = from[i, 2c], from[i, 2c+1]    B: from is read turned
//     pair_rows      pair (i, c) = from[2i, c], from[2i+1, c]    B, or A read transposed
//
// An odd last number has a zero beside it in A and in B.
#if defined(MIM_CPU_PAIR_PRODUCT_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MIM_CPU_PAIR_PRODUCT_INL_H
#undef MIM_CPU_PAIR_PRODUCT_INL_H
#else
#define MIM_CPU_PAIR_PRODUCT_INL_H
#endif

#include "cpu/attention_rows-inl.h"

// Highway has no target with bf16 dot products, so the two instructions are written out inside of
// its AVX-512. Of the compilers GCC assembles them there.
#undef MIM_CPU_HAS_PAIRS
#define MIM_CPU_HAS_PAIRS (HWY_TARGET == HWY_AVX3 && HWY_COMPILER_GCC_ACTUAL)

#if MIM_CPU_HAS_PAIRS
HWY_BEFORE_NAMESPACE();
namespace mim::cpu {
namespace HWY_NAMESPACE {

using pair_bits = hn::Rebind<uint32_t, float_lanes>;

// The processor's instructions (AVX512_BF16). A float_vector holds 16 pairs.
struct hardware_pairs {
    // sum + a b over both numbers of each pair
    static HWY_INLINE float_vector multiply_add(float_vector a, float_vector b, float_vector sum) {
        asm("vdpbf16ps %2, %1, %0" : "+v"(sum.raw) : "v"(a.raw), "v"(b.raw));
        return sum;
    }
    // 32 numbers, rounded to nearest even, as they lie in memory
    static HWY_INLINE float_vector round(float_vector low, float_vector high) {
        asm("vcvtne2ps2bf16 %1, %0, %0" : "+v"(high.raw) : "v"(low.raw));
        return high;
    }
};

// The same in ordinary instructions, with the same order and roundings. Only denormal numbers
// differ: the processor takes them, and gives them, as zeros.
struct emulated_pairs {
    static HWY_INLINE float_vector multiply_add(float_vector a, float_vector b, float_vector sum) {
        return hn::MulAdd(first(a), first(b), hn::MulAdd(second(a), second(b), sum));
    }
    static HWY_INLINE float_vector round(float_vector low, float_vector high) {
        HWY_ALIGN bf16 numbers[2 * hn::MaxLanes(float_lanes())];
        store(low, float_lanes(), numbers);
        store(high, float_lanes(), numbers + lane_count());
        const hn::Repartition<uint16_t, float_lanes> d16;
        const auto bits = hn::Load(d16, reinterpret_cast<const uint16_t*>(numbers));
        return hn::BitCast(float_lanes(), bits);
    }

private:
    static HWY_INLINE float_vector first(float_vector pairs) {
        const auto bits = hn::BitCast(pair_bits(), pairs);
        return hn::BitCast(float_lanes(), hn::ShiftLeft<16>(bits));
    }
    static HWY_INLINE float_vector second(float_vector pairs) {
        const auto upper = hn::Set(pair_bits(), 0xffff0000u);
        return hn::BitCast(float_lanes(), hn::And(hn::BitCast(pair_bits(), pairs), upper));
    }
};

template <class Pairs>
struct pair_arithmetic : Pairs {
    float scale = 1;
    explicit pair_arithmetic(float scale) : scale(scale) {}
    HWY_INLINE float_vector finish(float_vector sum) const {
        return hn::Mul(sum, hn::Set(float_lanes(), scale));
    }
};

// C (rows, cols) = scale A B in float, or C += A B with `add` and no scale; `depth` counts numbers,
// not pairs.
template <class Pairs, reading a_reading>
void pair_product(matrix c, matrix a, matrix b, int64_t rows, int64_t cols, int64_t depth,
                  float scale = 1, bool add = false) {
    product<a_reading>(c, a, b, rows, cols, ceil_div(depth, 2), add, pair_arithmetic<Pairs>(scale));
}

// Floats from row to row where a row holds `count` bf16, padded to whole vectors.
constexpr int64_t pair_room(int64_t count) {
    return ceil_div(count, 2 * line) * line;
}

// to[i, :] = from[first + i, :]
inline void copy_rows(const matrix& to, token_rows<const bf16> from, int64_t first, int64_t count,
                      int64_t dim) {
    const hn::Repartition<uint16_t, float_lanes> d16;
    const int64_t lanes = 2 * lane_count();
    for (int64_t i = 0; i < count; ++i) {
        const auto* row = reinterpret_cast<const uint16_t*>(from[first + i]);
        auto* copy = reinterpret_cast<uint16_t*>(to.row(i));
        for (int64_t c = 0; c < dim; c += lanes) {
            const auto present = hn::FirstN(d16, size_t(std::min(lanes, dim - c)));
            hn::StoreU(hn::MaskedLoad(present, d16, row + c), d16, copy + c);
        }
    }
}

// to[:] = from[:], rounded; returns the sum of what was rounded. Behind `count`, `from` has zeros up
// to a whole vector.
template <class Pairs>
HWY_INLINE float round_row(float* to, const float* from, int64_t count) {
    const float_lanes d;
    const int64_t lanes = lane_count();
    const float_vector ones = hn::BitCast(d, hn::Set(pair_bits(), 0x3f803f80u));
    float_vector sum = hn::Zero(d);
    for (int64_t i = 0; i < count; i += 2 * lanes) {
        const float_vector low = hn::LoadU(d, from + i);
        const float_vector high = i + lanes < count ? hn::LoadU(d, from + i + lanes) : hn::Zero(d);
        const float_vector rounded = Pairs::round(low, high);
        hn::StoreU(rounded, d, to + i / 2);
        sum = Pairs::multiply_add(rounded, ones, sum);
    }
    return sum_of_lanes(d, sum);
}

// mean[:] = the mean of the rows
inline void mean_of_rows(float* mean, token_rows<const bf16> rows, int64_t count, int64_t dim) {
    const float_lanes d;
    const float_vector share = hn::Set(d, 1.0f / float(count));
    for (int64_t c = 0; c < dim; c += lane_count()) {
        float_vector sum = hn::Zero(d);
        for (int64_t j = 0; j < count; ++j) sum = hn::Add(sum, load_some(d, rows[j] + c, dim - c));
        hn::StoreU(hn::Mul(sum, share), d, mean + c);
    }
}

// to[:] += factor from[:]; both have room for whole vectors.
HWY_INLINE void add_row(float* to, const float* from, int64_t dim, float factor) {
    const float_lanes d;
    for (int64_t c = 0; c < dim; c += lane_count())
        hn::StoreU(hn::MulAdd(hn::Set(d, factor), hn::LoadU(d, from + c), hn::LoadU(d, to + c)), d,
                   to + c);
}

// `to` has rows up to a multiple of 16, each with zeros from `count` up to a whole vector.
inline void pair_columns(const matrix& to, const matrix& from, int64_t count, int64_t dim) {
    const float_lanes d;
    const int64_t lanes = lane_count();
    for (int64_t i = 0; i < ceil_div(count, lanes) * lanes; i += 4)
        for (int64_t c = 0; c < ceil_div(dim, 2); c += lanes) {
            float_vector row[4];
            for (int64_t r = 0; r < 4; ++r)
                row[r] = i + r < count ? hn::LoadU(d, from.row(i + r) + c) : hn::Zero(d);
            store_turned(to.from_row(c), i, row);
        }
}

inline void pair_rows(const matrix& to, const matrix& from, int64_t count, int64_t cols) {
    const hn::Rebind<uint16_t, float_lanes> d16;
    const pair_bits d32;
    for (int64_t i = 0; i < count; i += 2) {
        const auto* first = reinterpret_cast<const uint16_t*>(from.row(i));
        const auto* second = reinterpret_cast<const uint16_t*>(from.row(i + 1));
        for (int64_t c = 0; c < cols; c += lane_count()) {
            auto pairs = hn::PromoteTo(d32, hn::LoadU(d16, first + c));
            if (i + 1 < count) {
                const auto upper = hn::PromoteTo(d32, hn::LoadU(d16, second + c));
                pairs = hn::Or(pairs, hn::ShiftLeft<16>(upper));
            }
            hn::StoreU(hn::BitCast(float_lanes(), pairs), float_lanes(), to.row(i / 2) + c);
        }
    }
}

}  // namespace HWY_NAMESPACE
}  // namespace mim::cpu
HWY_AFTER_NAMESPACE();
#endif

#endif  // once per instruction set
