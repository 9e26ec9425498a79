// Products of small matrices that lie in cache: C = A B, or C += A B, in float.
#if defined(MIM_CPU_PRODUCT_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MIM_CPU_PRODUCT_INL_H
#undef MIM_CPU_PRODUCT_INL_H
#else
#define MIM_CPU_PRODUCT_INL_H
#endif

#include "cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mim::cpu {
namespace HWY_NAMESPACE {

// A row-major matrix; `stride` elements from one row to the next.
struct matrix {
    float* first;
    int64_t stride;
    float* row(int64_t i) const { return first + i * stride; }
    matrix from_row(int64_t i) const { return {row(i), stride}; }
    matrix from_column(int64_t c) const { return {first + c, stride}; }
};

// What a product does with an element of A, a vector of B and a sum, and with a sum at the end.
struct float_arithmetic {
    HWY_INLINE float_vector multiply_add(float_vector a, float_vector b, float_vector sum) const {
        return hn::MulAdd(a, b, sum);
    }
    HWY_INLINE float_vector finish(float_vector sum) const { return sum; }
};

// How a factor is read: as it lies, or with rows and columns exchanged.
enum class reading { plain, transposed };

// A block of C stays in registers while k runs: up to 24 sums (AVX-512) or 12, which leaves room
// for a row of B and one element of A, and is enough to hide the latency of the multiplications.
#if HWY_TARGET <= HWY_AVX3
constexpr int most_vectors = 4;
constexpr int most_rows(int vectors) {
    return vectors == 4 ? 6 : 8;
}
#else
constexpr int most_vectors = 2;
constexpr int most_rows(int vectors) {
    return vectors == 2 ? 6 : 8;
}
#endif

// c[m, n] (+)= sum_k a(m, k) b[k, n] for `rows` rows and `vectors` vectors of columns, k in order.
template <int rows, int vectors, reading a_reading, class Arithmetic>
HWY_NOINLINE void product_block(matrix c, matrix a, matrix b, int64_t depth, bool add,
                                Arithmetic arithmetic) {
    const float_lanes d;
    const int64_t lanes = lane_count();
    const int64_t to_row = a_reading == reading::plain ? a.stride : 1;
    const int64_t to_next = a_reading == reading::plain ? 1 : a.stride;
    float_vector sum[rows][vectors];
    HWY_UNROLL(8)
    for (int m = 0; m < rows; ++m) {
        HWY_UNROLL(4)
        for (int n = 0; n < vectors; ++n)
            sum[m][n] = add ? hn::LoadU(d, c.row(m) + n * lanes) : hn::Zero(d);
    }
    const float* pa = a.first;
    const float* pb = b.first;
    for (int64_t k = 0; k < depth; ++k, pa += to_next, pb += b.stride) {
        float_vector bk[vectors];
        HWY_UNROLL(4)
        for (int n = 0; n < vectors; ++n) bk[n] = hn::LoadU(d, pb + n * lanes);
        HWY_UNROLL(8)
        for (int m = 0; m < rows; ++m) {
            const float_vector am = hn::Set(d, pa[m * to_row]);
            HWY_UNROLL(4)
            for (int n = 0; n < vectors; ++n)
                sum[m][n] = arithmetic.multiply_add(am, bk[n], sum[m][n]);
        }
    }
    HWY_UNROLL(8)
    for (int m = 0; m < rows; ++m) {
        HWY_UNROLL(4)
        for (int n = 0; n < vectors; ++n)
            hn::StoreU(arithmetic.finish(sum[m][n]), d, c.row(m) + n * lanes);
    }
}

// From sizes known at run time to a block of that size.
template <int rows, int vectors, reading a_reading, class Arithmetic>
HWY_INLINE void product_rows(int64_t count, matrix c, matrix a, matrix b, int64_t depth, bool add,
                             Arithmetic arithmetic) {
    if (count == rows)
        product_block<rows, vectors, a_reading>(c, a, b, depth, add, arithmetic);
    else if constexpr (rows > 1)
        product_rows<rows - 1, vectors, a_reading>(count, c, a, b, depth, add, arithmetic);
}

template <int vectors, reading a_reading, class Arithmetic>
HWY_INLINE void product_columns(int64_t count, matrix c, matrix a, matrix b, int64_t rows,
                                int64_t depth, bool add, Arithmetic arithmetic) {
    if (count == vectors) {
        constexpr int most = most_rows(vectors);
        const int64_t blocks = (rows + most - 1) / most;  // of nearly equal size
        for (int64_t i = 0; i < blocks; ++i) {
            const int64_t begin = rows * i / blocks, end = rows * (i + 1) / blocks;
            float* a_first = a_reading == reading::plain ? a.row(begin) : a.first + begin;
            product_rows<most, vectors, a_reading>(end - begin, {c.row(begin), c.stride},
                                                   {a_first, a.stride}, b, depth, add, arithmetic);
        }
    } else if constexpr (vectors > 1) {
        product_columns<vectors - 1, a_reading>(count, c, a, b, rows, depth, add, arithmetic);
    }
}

// C (rows, cols) = A B, or C += A B with `add`.
//   A  (rows, depth) read plainly, or (depth, rows) read transposed
//   B  (depth, cols)
// Columns go by whole vectors: rows of B and C must have room up to a multiple of the lanes. An
// element of A and B is whatever of 32 bits the arithmetic takes for one.
template <reading a_reading, class Arithmetic = float_arithmetic>
void product(matrix c, matrix a, matrix b, int64_t rows, int64_t cols, int64_t depth,
             bool add = false, Arithmetic arithmetic = {}) {
    const int64_t lanes = lane_count(), vectors = (cols + lanes - 1) / lanes;
    const int64_t panels = (vectors + most_vectors - 1) / most_vectors;
    for (int64_t i = 0; i < panels; ++i) {
        const int64_t begin = vectors * i / panels, end = vectors * (i + 1) / panels;
        product_columns<most_vectors, a_reading>(end - begin, {c.first + begin * lanes, c.stride},
                                                 a, {b.first + begin * lanes, b.stride}, rows,
                                                 depth, add, arithmetic);
    }
}

}  // namespace HWY_NAMESPACE
}  // namespace mim::cpu
HWY_AFTER_NAMESPACE();

#endif  // once per instruction set
