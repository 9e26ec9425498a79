// What stands between the products of attention: the terms of a score that depend on where query and
// key stand.
#pragma once

#include "cuda/attention_tiles.h"

namespace mim::cuda {

// The optional arguments but the table, of which kernels get a copy (attention_table.h).
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

}  // namespace mim::cuda
