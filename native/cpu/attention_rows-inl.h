// Rows of attention: a head's tokens packed into float matrices and back, and what happens to a row
// of scores between the products.
#if defined(MIM_CPU_ATTENTION_ROWS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MIM_CPU_ATTENTION_ROWS_INL_H
#undef MIM_CPU_ATTENTION_ROWS_INL_H
#else
#define MIM_CPU_ATTENTION_ROWS_INL_H
#endif

#include "cpu/product-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mim::cpu {
namespace HWY_NAMESPACE {

constexpr int64_t line = 16;  // floats of a cache line; a multiple of every lane count

constexpr int64_t ceil_div(int64_t a, int64_t b) {
    return (a + b - 1) / b;
}

// The tokens of one head in one window. Token i of the window is token order[i] of the image;
// without an order the window is the image.
template <class T>
struct token_rows {
    T* first;
    int64_t stride;
    const int32_t* order;
    T* operator[](int64_t i) const { return first + (order == nullptr ? i : order[i]) * stride; }
};

// Asks for token i of `end`, to be in the second cache when it is packed.
template <class T>
HWY_INLINE void fetch(token_rows<const T> from, int64_t i, int64_t end, int64_t dim) {
    if (from.first == nullptr || i >= end) return;
    for (int64_t c = 0; c < dim; c += line * 4 / int64_t(sizeof(T)))
        __builtin_prefetch(from[i] + c, 0, 2);
}

// ---- packing ----

// to[i, :] = scale from[first + i, :]; the lanes behind D become 0.
template <class T>
void pack_rows(const matrix& to, token_rows<const T> from, int64_t first, int64_t count,
               int64_t dim, float scale = 1.0f) {
    const float_lanes d;
    const float_vector factor = hn::Set(d, scale);
    for (int64_t i = 0; i < count; ++i) {
        const T* row = from[first + i];
        for (int64_t c = 0; c < dim; c += lane_count())
            hn::StoreU(hn::Mul(load_some(d, row + c, dim - c), factor), d, to.row(i) + c);
    }
}

// to[:] = scale from[:]
template <class T>
HWY_INLINE void unpack_row(T* to, const float* from, int64_t dim, float scale) {
    const float_lanes d;
    const float_vector factor = hn::Set(d, scale);
    for (int64_t c = 0; c < dim; c += lane_count())
        store_some(hn::Mul(hn::LoadU(d, from + c), factor), d, to + c, dim - c);
}

#if HWY_TARGET != HWY_SCALAR
// Stores each group of 4 lanes on its own, `step` floats apart.
template <class D>
HWY_INLINE void store_fours(D d, hn::Vec<D> v, float* to, int64_t step) {
    if constexpr (hn::MaxLanes(D()) == 4) {
        hn::StoreU(v, d, to);
    } else {
        const hn::Half<D> half;
        store_fours(half, hn::LowerHalf(half, v), to, step);
        store_fours(half, hn::UpperHalf(half, v), to + int64_t(hn::MaxLanes(half)) / 4 * step,
                    step);
    }
}

// to[c, i + r] = row[r][c] for four rows: within each group of 4 lanes a 4 x 4 matrix is turned.
HWY_INLINE void store_turned(const matrix& to, int64_t i, const float_vector (&row)[4]) {
    const float_lanes d;
    const hn::Repartition<double, float_lanes> pairs;
    const auto interleave_lower = [=](float_vector a, float_vector b) HWY_ATTR {
        return hn::BitCast(
            d, hn::InterleaveLower(pairs, hn::BitCast(pairs, a), hn::BitCast(pairs, b)));
    };
    const auto interleave_upper = [=](float_vector a, float_vector b) HWY_ATTR {
        return hn::BitCast(
            d, hn::InterleaveUpper(pairs, hn::BitCast(pairs, a), hn::BitCast(pairs, b)));
    };
    const float_vector low01 = hn::InterleaveLower(d, row[0], row[1]);
    const float_vector low23 = hn::InterleaveLower(d, row[2], row[3]);
    const float_vector high01 = hn::InterleaveUpper(d, row[0], row[1]);
    const float_vector high23 = hn::InterleaveUpper(d, row[2], row[3]);
    const int64_t step = 4 * to.stride;
    store_fours(d, interleave_lower(low01, low23), to.row(0) + i, step);
    store_fours(d, interleave_upper(low01, low23), to.row(1) + i, step);
    store_fours(d, interleave_lower(high01, high23), to.row(2) + i, step);
    store_fours(d, interleave_upper(high01, high23), to.row(3) + i, step);
}
#endif

// to[c, i] = scale from[i, c], with zeros from `count` up to a whole vector. `to` has rows up to a
// multiple of 16.
template <class T>
void pack_columns(const matrix& to, token_rows<const T> from, int64_t count, int64_t dim,
                  float scale) {
    const float_lanes d;
#if HWY_TARGET == HWY_SCALAR
    for (int64_t i = 0; i < count; ++i)
        for (int64_t c = 0; c < dim; ++c) to.row(c)[i] = scale * hn::GetLane(load(d, from[i] + c));
#else
    const float_vector factor = hn::Set(d, scale);
    for (int64_t i = 0; i < ceil_div(count, lane_count()) * lane_count(); i += 4) {
        const T* token[4];
        for (int64_t r = 0; r < 4; ++r) token[r] = i + r < count ? from[i + r] : nullptr;
        for (int64_t c = 0; c < dim; c += lane_count()) {
            float_vector row[4];
            for (int64_t r = 0; r < 4; ++r)
                row[r] = token[r] != nullptr ? hn::Mul(load_some(d, token[r] + c, dim - c), factor)
                                             : hn::Zero(d);
            store_turned(to.from_row(c), i, row);
        }
    }
#endif
}

// ---- rows of a tile ----

// What the positions of query and key add to scores; each may be null.
struct score_terms {
    const float *bias, *mask;  // (T, S)
    const int32_t* buckets;    // (T, S)

    bool present() const { return bias != nullptr || mask != nullptr || buckets != nullptr; }
    score_terms from_row(int64_t i, int64_t keys) const {
        return {bias == nullptr ? nullptr : bias + i * keys,
                mask == nullptr ? nullptr : mask + i * keys,
                buckets == nullptr ? nullptr : buckets + i * keys};
    }
};

using index_vector = hn::Vec<hn::Rebind<int32_t, float_lanes>>;

// At most a vector of the `count` indices that are left; the lanes behind them are 0.
HWY_INLINE index_vector load_indices(const int32_t* from, int64_t count) {
    const hn::Rebind<int32_t, float_lanes> d;
    if (count >= lane_count()) return hn::LoadU(d, from);
#if HWY_TARGET <= HWY_AVX2
    return hn::MaskedLoad(hn::FirstN(d, size_t(count)), d, from);
#else
    HWY_ALIGN int32_t padded[hn::MaxLanes(d)] = {};
    std::memcpy(padded, from, size_t(count) * sizeof(int32_t));
    return hn::LoadU(d, padded);
#endif
}

// -inf behind the last of `count` keys: there the exponential becomes 0.
HWY_INLINE float_vector close_behind(float_vector scores, int64_t count) {
    const float_lanes d;
    if (count >= lane_count()) return scores;
    const float_vector lowest = hn::Set(d, -std::numeric_limits<float>::infinity());
    return hn::IfThenElse(hn::FirstN(d, size_t(count)), scores, lowest);
}

// How the loops below read a row of products as scores, a vector from key j on.
struct plain_scores {
    HWY_INLINE float_vector load(const float* score, int64_t j, int64_t keys) const {
        return close_behind(hn::LoadU(float_lanes(), score + j), keys - j);
    }
};

// With products[buckets[j]] + bias[j] + mask[j], where products (U) is the query's row of q table.
struct placed_scores {
    score_terms row;
    const float* products;

    HWY_INLINE float_vector load(const float* score, int64_t j, int64_t keys) const {
        const float_lanes d;
        float_vector s = hn::LoadU(d, score + j);
        if (row.buckets != nullptr)
            s = hn::Add(s, hn::GatherIndex(d, products, load_indices(row.buckets + j, keys - j)));
        if (row.bias != nullptr) s = hn::Add(s, load_some(d, row.bias + j, keys - j));
        if (row.mask != nullptr) s = hn::Add(s, load_some(d, row.mask + j, keys - j));
        return close_behind(s, keys - j);
    }
};

// The transpose of the gather above, for `rows` rows of a tile: sums[r, u] = the sum of ds[r, j]
// over the keys j of bucket u. Sums of one bucket wait for each other, those of different rows do
// not, so rows take turns.
template <int rows>
HWY_INLINE void sum_rows_by_bucket(matrix sums, matrix ds, const int32_t* buckets, int64_t entries,
                                   int64_t keys) {
    for (int r = 0; r < rows; ++r) std::fill_n(sums.row(r), entries, 0.0f);
    for (int64_t j = 0; j < keys; ++j) {
        HWY_UNROLL(4)
        for (int r = 0; r < rows; ++r) sums.row(r)[buckets[r * keys + j]] += ds.row(r)[j];
    }
}

inline void sum_by_bucket(matrix sums, matrix ds, const int32_t* buckets, int64_t count,
                          int64_t entries, int64_t keys) {
    int64_t i = 0;
    for (; i + 4 <= count; i += 4)
        sum_rows_by_bucket<4>(sums.from_row(i), ds.from_row(i), buckets + i * keys, entries, keys);
    for (; i < count; ++i)
        sum_rows_by_bucket<1>(sums.from_row(i), ds.from_row(i), buckets + i * keys, entries, keys);
}

struct softmax_sum {
    float max, sum;
};

// Turns a row of products into exp(score - max).
template <class Scores>
HWY_INLINE softmax_sum softmax_row(float* score, const Scores& scores, int64_t keys) {
    const float_lanes d;
    const int64_t lanes = lane_count();
    float_vector max = hn::Set(d, -std::numeric_limits<float>::infinity());
    for (int64_t j = 0; j < keys; j += lanes) {
        const float_vector s = scores.load(score, j, keys);
        hn::StoreU(s, d, score + j);
        max = hn::Max(max, s);
    }
    const float top = max_of_lanes(d, max);
    float_vector sum = hn::Zero(d);
    for (int64_t j = 0; j < keys; j += lanes) {
        const float_vector p = exp(d, hn::Sub(hn::LoadU(d, score + j), hn::Set(d, top)));
        hn::StoreU(p, d, score + j);
        sum = hn::Add(sum, p);
    }
    return {top, sum_of_lanes(d, sum)};
}

// The same for row i of a window; `products` as in placed_scores.
HWY_INLINE softmax_sum softmax_row(float* score, const float* products, const score_terms& terms,
                                   int64_t i, int64_t keys) {
    if (!terms.present()) return softmax_row(score, plain_scores(), keys);
    return softmax_row(score, placed_scores{terms.from_row(i, keys), products}, keys);
}

// Turns a row of scores into P and a row of dP into dS, and adds dS to dbias.
//
// lse is rounded at its own size, which for scores in the thousands shifts exp(S - lse) by a common
// factor; dividing by the row's sum takes that out. And delta is summed from P dP rather than from
// dout out: `out` may have been rounded to bf16, and the row of dS should sum to 0.
template <class Scores>
HWY_INLINE void softmax_backward_row(float* score, const Scores& scores, float* dp, float* dbias,
                                     float lse, int64_t keys) {
    const float_lanes d;
    const int64_t lanes = lane_count();
    float_vector sums = hn::Zero(d), deltas = hn::Zero(d);
    for (int64_t j = 0; j < keys; j += lanes) {
        const float_vector p = exp(d, hn::Sub(scores.load(score, j, keys), hn::Set(d, lse)));
        hn::StoreU(p, d, score + j);
        sums = hn::Add(sums, p);
        deltas = hn::MulAdd(p, hn::LoadU(d, dp + j), deltas);
    }
    const float norm = 1.0f / sum_of_lanes(d, sums);
    const float_vector factor = hn::Set(d, norm);
    const float_vector delta = hn::Set(d, norm * sum_of_lanes(d, deltas));
    for (int64_t j = 0; j < keys; j += lanes) {
        const float_vector p = hn::Mul(hn::LoadU(d, score + j), factor);
        const float_vector ds = hn::Mul(p, hn::Sub(hn::LoadU(d, dp + j), delta));
        hn::StoreU(p, d, score + j);
        hn::StoreU(ds, d, dp + j);
        if (dbias != nullptr)
            store_some(hn::Add(load_some(d, dbias + j, keys - j), ds), d, dbias + j, keys - j);
    }
}

// The same for row i of a window, whose dS dbias (T, S) receives unless it is null.
HWY_INLINE void softmax_backward_row(float* score, const float* products, const score_terms& terms,
                                     float* dp, float* dbias, float lse, int64_t i, int64_t keys) {
    if (!terms.present())
        return softmax_backward_row(score, plain_scores(), dp, nullptr, lse, keys);
    softmax_backward_row(score, placed_scores{terms.from_row(i, keys), products}, dp,
                         dbias == nullptr ? nullptr : dbias + i * keys, lse, keys);
}

}  // namespace HWY_NAMESPACE
}  // namespace mim::cpu
HWY_AFTER_NAMESPACE();

#endif  // once per instruction set
