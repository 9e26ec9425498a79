// Products of attention by one warp, between tiles in shared memory and matrices in its registers:
// bf16 on tensor cores, float by multiply-adds. A matrix in registers (16 x 8n) lies as multiply_add
// leaves it, for floats too: with g = lane / 4 and t = lane % 4, c[i][0] and c[i][1] are elements
// (g, 8i + 2t) and the one to its right, c[i][2] and c[i][3] the same of row g + 8.
//
// Rows of a tile are padded by 16 bytes, so that eight rows of 16 bytes meet every bank of shared
// memory once, for all head dimensions here. `count` is how many rows of a tile matter: groups of 16
// behind them are left out, and the rest of the last group must be finite.
#pragma once

#include <type_traits>

#include "cuda/device.h"

namespace mim::cuda {

constexpr int group_rows = 16;  // what is multiplied, or left out, at once

// Elements from row to row of a tile.
template <class T, int dim>
inline constexpr int tile_stride = dim + 16 / int(sizeof(T));

inline __device__ int lane_number() {
    return int(threadIdx.x) % 32;
}
inline __device__ int warp_number() {
    return int(threadIdx.x) / 32;
}

// Sixteen rows of a tile as the left factor of a product.
template <class T, int dim>
struct left_rows;

template <int dim>
struct left_rows<bf16, dim> {
    static constexpr bool held = dim <= 80;  // in registers; more would leave too few
    uint32_t fragments[held ? dim / 16 : 1][4];
    const bf16* row;  // this lane's

    __device__ void load(const bf16* rows) {
        row = rows + lane_number() % 16 * tile_stride<bf16, dim> + lane_number() / 16 * 8;
        if constexpr (held)
#pragma unroll
            for (int i = 0; i < dim / 16; ++i) load_matrices(fragments[i], row + 16 * i);
    }
    // Columns 16 i to 16 i + 15.
    __device__ const uint32_t (&at(int i))[4] {
        if constexpr (held) return fragments[i];
        load_matrices(fragments[0], row + 16 * i);
        return fragments[0];
    }
};

template <int dim>
struct left_rows<float, dim> {
    const float* rows;
    __device__ void load(const float* from) { rows = from; }
};

// c (16 x 16 groups) += left (16 x dim) rows^T
template <int dim, int groups>
__device__ void multiply_rows(float (&c)[2 * groups][4], left_rows<bf16, dim>& left,
                              const bf16* rows, int count) {
    const int lane = lane_number();
    const bf16* row = rows + (lane / 16 * 8 + lane % 8) * tile_stride<bf16, dim> + lane / 8 % 2 * 8;
#pragma unroll
    for (int i = 0; i < dim / 16; ++i) {
        const auto& a = left.at(i);
#pragma unroll
        for (int group = 0; group < groups; ++group) {
            if (group * group_rows >= count) break;
            uint32_t r[4];
            load_matrices(r, row + group * group_rows * tile_stride<bf16, dim> + 16 * i);
            multiply_add(c[2 * group], a, {r[0], r[1]});
            multiply_add(c[2 * group + 1], a, {r[2], r[3]});
        }
    }
}

template <int dim, int groups>
__device__ void multiply_rows(float (&c)[2 * groups][4], left_rows<float, dim>& left,
                              const float* rows, int count) {
    constexpr int stride = tile_stride<float, dim>;
    const int g = lane_number() / 4, t = lane_number() % 4;
#pragma unroll 1
    for (int i = 0; i < dim; i += 4) {
        const auto upper = load_vector<float, 4>(left.rows + g * stride + i);
        const auto lower = load_vector<float, 4>(left.rows + (g + 8) * stride + i);
#pragma unroll
        for (int n = 0; n < 2 * groups; ++n) {
            if (n / 2 * group_rows >= count) break;
            const float* row = rows + (8 * n + 2 * t) * stride + i;
            const auto first = load_vector<float, 4>(row);
            const auto second = load_vector<float, 4>(row + stride);
#pragma unroll
            for (int e = 0; e < 4; ++e) {
                c[n][0] = fmaf(upper[e], first[e], c[n][0]);
                c[n][1] = fmaf(upper[e], second[e], c[n][1]);
                c[n][2] = fmaf(lower[e], first[e], c[n][2]);
                c[n][3] = fmaf(lower[e], second[e], c[n][3]);
            }
        }
    }
}

// c (16 x dim) += p rows, with p (16 x 16 groups) rounded to bf16. `sums`, where given, are those of
// the rows of p as it was rounded, in every column: a product with ones.
template <int dim, int groups, bool with_sums = false>
__device__ void multiply_weights(float (&c)[dim / 8][4], const float (&p)[2 * groups][4],
                                 const bf16* rows, int count, float (*sums)[4] = nullptr) {
    const int lane = lane_number();
    const bf16* row = rows + lane % 16 * tile_stride<bf16, dim> + lane / 16 * 8;
#pragma unroll
    for (int group = 0; group < groups; ++group) {
        if (group * group_rows >= count) break;
        const float(&left)[4] = p[2 * group];
        const float(&right)[4] = p[2 * group + 1];
        const uint32_t a[4] = {pack(left[0], left[1]), pack(left[2], left[3]),
                               pack(right[0], right[1]), pack(right[2], right[3])};
        constexpr uint32_t ones = 0x3f803f80;
        if constexpr (with_sums) multiply_add(*sums, a, {ones, ones});
#pragma unroll
        for (int i = 0; i < dim / 16; ++i) {
            uint32_t r[4];
            load_matrices_turned(r, row + group * group_rows * tile_stride<bf16, dim> + 16 * i);
            multiply_add(c[2 * i], a, {r[0], r[1]});
            multiply_add(c[2 * i + 1], a, {r[2], r[3]});
        }
    }
}

template <int dim, int groups, bool with_sums = false>
__device__ void multiply_weights(float (&c)[dim / 8][4], const float (&p)[2 * groups][4],
                                 const float* rows, int count, float (*)[4] = nullptr) {
    const int lane = lane_number();
#pragma unroll
    for (int n = 0; n < 2 * groups; ++n) {
        if (n / 2 * group_rows >= count) break;
#pragma unroll 1
        for (int e = 0; e < 8; ++e) {  // the row's weight lies in another lane of the four
            const int source = (lane & ~3) | e / 2;
            const float upper = shuffle(e % 2 ? p[n][1] : p[n][0], source);
            const float lower = shuffle(e % 2 ? p[n][3] : p[n][2], source);
            const float* row = rows + (8 * n + e) * tile_stride<float, dim> + lane % 4 * 2;
#pragma unroll
            for (int i = 0; i < dim / 8; ++i) {
                const auto v = load_vector<float, 2>(row + 8 * i);
                c[i][0] = fmaf(upper, v[0], c[i][0]);
                c[i][1] = fmaf(upper, v[1], c[i][1]);
                c[i][2] = fmaf(lower, v[0], c[i][2]);
                c[i][3] = fmaf(lower, v[1], c[i][3]);
            }
        }
    }
}

inline __device__ float rounded(float x) {
    return unpack(pack(x, 0.0f)).low;
}

// The same with p as good as not rounded, as the sum of three bf16; p is left as what remained.
template <class T, int dim, int groups>
__device__ void multiply_exact_weights(float (&c)[dim / 8][4], float (&p)[2 * groups][4],
                                       const T* rows, int count) {
    if constexpr (std::is_same_v<T, float>) {
        multiply_weights<dim, groups>(c, p, rows, count);
    } else {
#pragma unroll 1
        for (int part = 0; part < 3; ++part) {
            multiply_weights<dim, groups>(c, p, rows, count);
#pragma unroll
            for (int n = 0; n < 2 * groups; ++n)
#pragma unroll
                for (int e = 0; e < 4; ++e) p[n][e] -= rounded(p[n][e]);
        }
    }
}

template <int n>
__device__ void clear(float (&c)[n][4]) {
#pragma unroll
    for (int i = 0; i < n; ++i)
#pragma unroll
        for (int e = 0; e < 4; ++e) c[i][e] = 0;
}

// Over the four lanes that share the rows of a matrix in registers.
inline __device__ float sum_of_row(float x) {
    x += shuffle_xor(x, 1);
    return x + shuffle_xor(x, 2);
}
inline __device__ float max_of_row(float x) {
    x = fmaxf(x, shuffle_xor(x, 1));
    return fmaxf(x, shuffle_xor(x, 2));
}

}  // namespace mim::cuda
