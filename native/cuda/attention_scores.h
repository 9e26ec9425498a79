// What stands between the products of attention: the terms of a score that depend on where query and
// key stand, and the table of LoMaR as more keys.
#pragma once

#include "cuda/attention_tiles.h"

namespace mim::cuda {

// The optional arguments. `table` is a copy of it in rows, see split_table_kernel.
struct attention_positions {
    const float *bias, *mask;
    const int32_t *buckets, *windows;

    __device__ const int32_t* order_of(const attention_sizes& s, const attention_task& t) const {
        return windows == nullptr ? nullptr : windows + int64_t(t.window) * s.queries;
    }
};

// Score (i, j) = scale q_i.k_j + bias + mask + the query's product with its bucket of the table.
//
// A kernel is `placed` if it can add these; the other kind is for bf16 with a positive scale and
// nothing to add, where scores stay without scale until they are exponents and the registers that the
// terms would take hold more of the products.
struct score_terms {
    const float *bias, *mask;  // (T, S) of this head, of this window
    const int32_t* buckets;    // (T, S)
    const float* products;     // q table, row by row of queries; null without a table
    int64_t products_stride;
    int queries, keys;
    float scale;

    __device__ score_terms(const attention_sizes& s, const attention_positions& p,
                           const attention_task& t, float scale)
        : buckets(p.buckets), queries(s.queries), keys(s.keys), scale(scale) {
        const int64_t size = int64_t(s.queries) * s.keys;
        bias = p.bias == nullptr ? nullptr : p.bias + t.head * size;
        mask = p.mask == nullptr ? nullptr : p.mask + t.window * size;
        products = nullptr;
        products_stride = 0;
    }

    // `row`: where the query's products begin.
    __device__ float add_to(float product, int query, int key, const float* row) const {
        float score = scale * product;
        if (query >= queries || key >= keys) return score;
        const int64_t at = int64_t(query) * keys + key;
        if (row != nullptr) score += row[buckets[at]];
        if (bias != nullptr) score += bias[at];
        if (mask != nullptr) score += mask[at];
        return score;
    }

    // The scores of 16 queries from `query` on with `count` keys from `key` on.
    template <int groups>
    __device__ void add(float (&s)[2 * groups][4], int query, int key, int count,
                        const float* rows) const {
        const int g = lane_number() / 4, t = lane_number() % 4;
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const int row = g + 8 * half;
            const int64_t at = int64_t(query + row) * keys + key + 2 * t;
            const float* row_products = rows == nullptr ? nullptr : rows + row * products_stride;
            const int last = query + row < queries ? count - 2 * t : 0;
#pragma unroll
            for (int n = 0; n < 2 * groups; ++n) {
                if (n / 2 * group_rows >= count) break;
#pragma unroll
                for (int c = 0; c < 2; ++c) {
                    float& score = s[n][2 * half + c];
                    score *= scale;
                    if (8 * n + c >= last) continue;
                    if (row_products != nullptr) score += row_products[buckets[at + 8 * n + c]];
                    if (bias != nullptr) score += bias[at + 8 * n + c];
                    if (mask != nullptr) score += mask[at + 8 * n + c];
                }
            }
        }
    }
};

// -inf behind the last of `count` keys, where the exponential becomes 0.
template <int groups>
__device__ void close_behind(float (&s)[2 * groups][4], int count) {
    if (count >= groups * group_rows) return;
    const int t = lane_number() % 4;
#pragma unroll
    for (int n = 0; n < 2 * groups; ++n)
#pragma unroll
        for (int e = 0; e < 4; ++e)
            if (8 * n + 2 * t + e % 2 >= count) s[n][e] = -INFINITY;
}

constexpr float log2_e = 1.4426950408889634f;

// ---- the table ----

// A bf16 has 8 bits of a float's 24: the table is the sum of three.
template <class T>
inline constexpr int table_parts = std::is_same_v<T, float> ? 1 : 3;

__host__ __device__ constexpr int padded_entries(int entries) {
    return (entries + group_rows - 1) / group_rows * group_rows;
}
// Floats from row to row of q table in shared memory.
__host__ __device__ constexpr int products_room(int entries) {
    return padded_entries(entries) + 8;
}

// grid (ceil(parts / 256)), block 256: rows (parts, padded entries, dim), one thread an element of
// the table (D, U), with zeros around it.
template <class T, int dim>
__global__ void split_table_kernel(T* rows, const float* table, int entries, int columns) {
    const int padded = padded_entries(entries);
    const int i = int(blockIdx.x * blockDim.x + threadIdx.x), entry = i / dim, column = i % dim;
    if (entry >= padded) return;
    float rest = entry < entries && column < columns ? table[column * entries + entry] : 0.0f;
    for (int part = 0; part < table_parts<T>; ++part) {
        const T value(rest);
        rows[(int64_t(part) * padded + entry) * dim + column] = value;
        rest -= float(value);
    }
}

template <class T, int dim>
__device__ token_rows<const T> rows_of_table(const T* rows, int entries, int part) {
    return {rows + int64_t(part) * padded_entries(entries) * dim, dim, nullptr, true};
}

// products[i, u] = left_i.table_u for this warp's 16 rows, of which the first `present` are written.
// `tile` is shared memory of the block; all its warps come here together.
template <class T, int dim, int groups>
__device__ void multiply_table(float* products, int64_t stride, int present,
                               left_rows<T, dim>& left, const T* table, int entries, T* tile) {
    const int padded = padded_entries(entries), g = lane_number() / 4, t = lane_number() % 4;
    constexpr int most = groups * group_rows;
    for (int first = 0; first < entries; first += most) {
        float c[2 * groups][4];
        clear(c);
        for (int part = 0; part < table_parts<T>; ++part) {
            wait_block();
            load_tile<T, dim>(tile, rows_of_table<T, dim>(table, entries, part), first, padded,
                              most, dim);
            close_copy_group();
            wait_for_copies<0>();
            wait_block();
            multiply_rows<dim, groups>(c, left, tile, padded - first);
        }
#pragma unroll
        for (int n = 0; n < 2 * groups; ++n)
#pragma unroll
            for (int e = 0; e < 4; ++e) {
                const int row = g + e / 2 * 8, entry = first + 8 * n + 2 * t + e % 2;
                if (row < present && entry < entries) products[row * stride + entry] = c[n][e];
            }
    }
    wait_block();
}

}  // namespace mim::cuda
