// Attention's forward kernel.
#pragma once

#include "cuda/attention_table.h"

namespace mim::cuda {

template <class T>
struct attention_forward_arguments {
    attention_sizes sizes;
    attention_positions positions;
    head_tokens<T> out;
    head_tokens<const T> q, k, v;
    float* lse;
    const T* table;
    float* products;  // (tasks, T, U), or null: they fit into shared memory
    float scale;
};

// Keys of a tile, in groups: as many as shared memory of sm_80 holds twice beside the queries.
template <class T, int dim>
inline constexpr int forward_groups = sizeof(T) * dim > 320 ? 2 : 4;

// A block has 2 to 5 warps, whatever leaves the fewest of them without queries.
constexpr int most_forward_warps = 5;

inline int forward_warps(const attention_sizes& s) {
    const int groups = (s.queries + group_rows - 1) / group_rows;
    int best = most_forward_warps;
    for (int warps = best - 1; warps >= 2; --warps)
        if ((groups + warps - 1) / warps * warps < (groups + best - 1) / best * best) best = warps;
    return best;
}

template <class T, int dim>
int64_t forward_shared_bytes(const attention_sizes& s, bool with_products) {
    const int rows_of_block = forward_warps(s) * group_rows;
    constexpr int forward_keys = forward_groups<T, dim> * group_rows;
    const int64_t tiles = s.keys > forward_keys ? 2 : 1;
    return shared_bytes<T>(rows_of_block * tile_stride<T, dim>) +
           2 * shared_bytes<T>(tiles * forward_keys * tile_stride<T, dim>) +
           (with_products ? shared_bytes<float>(rows_of_block * products_room(s.entries)) : 0);
}

// What a warp knows of its 16 queries while keys pass by: rows g and g + 8 in lane 4 g + t.
template <int dim>
struct running_rows {
    float top[2] = {-INFINITY, -INFINITY}, sum[2] = {0, 0};  // sum: this lane's part
    float out[dim / 8][4];

    // Turns scores into exp(score - top), top the largest so far; 2^unit is e^(1 of a score).
    template <int groups>
    __device__ void add(float (&s)[2 * groups][4], int count, float unit) {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            float highest = top[half];
#pragma unroll
            for (int n = 0; n < 2 * groups; ++n) {
                if (n / 2 * group_rows >= count) break;
                highest = fmaxf(highest, fmaxf(s[n][2 * half], s[n][2 * half + 1]));
            }
            highest = max_of_row(highest);
            const float base = highest == -INFINITY ? 0.0f : highest;  // no key is open yet
            const float factor = exp2_fast((top[half] - base) * unit);
            top[half] = highest;
            sum[half] *= factor;
#pragma unroll
            for (int i = 0; i < dim / 8; ++i) {
                out[i][2 * half] *= factor;
                out[i][2 * half + 1] *= factor;
            }
#pragma unroll
            for (int n = 0; n < 2 * groups; ++n) {
                if (n / 2 * group_rows >= count) break;
#pragma unroll
                for (int e = 2 * half; e < 2 * half + 2; ++e) {
                    s[n][e] = exp2_fast((s[n][e] - base) * unit);
                    sum[half] += s[n][e];
                }
            }
        }
    }
};

// grid (query tiles x heads x windows x samples), block 64 to 160: a warp owns 16 queries of one head, with
// q, the scores of 64 keys and its sums of values in registers. Keys and values pass by in tiles of
// 64 (or 32), the next one copied while one is used; a last tile is multiplied in groups of 16 keys. The
// blocks of a head follow each other, so its keys come from the level 2 cache; heads next to each
// other share lines of a token.
template <class T, int dim, bool placed>
__global__ void __launch_bounds__(32 * most_forward_warps)
    attention_forward_kernel(attention_forward_arguments<T> a) {
    constexpr int groups = forward_groups<T, dim>, forward_keys = groups * group_rows;
    constexpr int stride = tile_stride<T, dim>;
    const attention_sizes& sizes = a.sizes;
    const int rows_of_block = int(blockDim.x) / 32 * group_rows;
    const int query_tiles = (sizes.queries + rows_of_block - 1) / rows_of_block;
    const int query_tile = int(blockIdx.x % unsigned(query_tiles));
    const int64_t head_of_all = blockIdx.x / unsigned(query_tiles);
    const attention_task task(sizes, head_of_all / sizes.heads, int(head_of_all % sizes.heads));
    const int32_t* order = a.positions.order_of(sizes, task);
    const int warp_row = warp_number() * group_rows;
    const int query = query_tile * rows_of_block + warp_row;
    const bool active = query < sizes.queries;
    const int key_tiles = (sizes.keys + forward_keys - 1) / forward_keys;

    block_memory memory;
    T* q = memory.take<T>(rows_of_block * stride);
    T* keys = memory.take<T>((key_tiles > 1 ? 2 : 1) * forward_keys * stride);
    T* values = memory.take<T>((key_tiles > 1 ? 2 : 1) * forward_keys * stride);
    const auto k = a.k.of(task, order), v = a.v.of(task, order);
    const auto load_keys = [&](int tile) {
        const int at = tile % 2 * forward_keys * stride, first = tile * forward_keys;
        load_tile<T, dim>(keys + at, k, first, sizes.keys, forward_keys, sizes.dim);
        load_tile<T, dim>(values + at, v, first, sizes.keys, forward_keys, sizes.dim);
    };
    load_tile<T, dim>(q, a.q.of(task, order), query_tile * rows_of_block, sizes.queries,
                      rows_of_block, sizes.dim);
    left_rows<T, dim> left;
    score_terms terms(sizes, a.positions, task, a.scale);
    const float* products = nullptr;
    if (placed && a.table != nullptr) {
        close_copy_group();
        wait_for_copies<0>();
        wait_block();
        left.load(q + warp_row * stride);
        float* rows;
        if (a.products != nullptr) {
            terms.products_stride = sizes.entries;
            rows = a.products + (task.number(sizes) * sizes.queries + query) * sizes.entries;
        } else {
            terms.products_stride = products_room(sizes.entries);
            rows = memory.take<float>(rows_of_block * products_room(sizes.entries)) +
                   warp_row * products_room(sizes.entries);
        }
        multiply_table<T, dim, groups>(rows, terms.products_stride, sizes.queries - query, left,
                                       a.table, sizes.entries, keys);
        products = rows;
    }

    running_rows<dim> rows;
    clear(rows.out);
    const float natural = placed ? 1.0f : a.scale;  // what one of a score is worth
    load_keys(0);
    for (int tile = 0; tile < key_tiles; ++tile) {
        close_copy_group();
        if (tile + 1 < key_tiles) load_keys(tile + 1);
        close_copy_group();
        wait_for_copies<1>();
        wait_block();
        if (active) {
            const int at = tile % 2 * forward_keys * stride, first = tile * forward_keys;
            const int count = sizes.keys - first;
            if (tile == 0) left.load(q + warp_row * stride);
            float s[2 * groups][4];
            clear(s);
            multiply_rows<dim, groups>(s, left, keys + at, count);
            if constexpr (placed) terms.add<groups>(s, query, first, count, products);
            close_behind<groups>(s, count);
            rows.template add<groups>(s, count, natural * log2_e);
            multiply_weights<dim, groups>(rows.out, s, values + at, count);
        }
        wait_block();
    }
    if (!active) return;
    float factor[2];
    const int64_t first_row =
        (task.sample * sizes.heads + task.head) * sizes.windows * sizes.queries;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        const float sum = sum_of_row(rows.sum[half]);
        factor[half] = 1 / sum;
        const int row = query + lane_number() / 4 + 8 * half;
        if (lane_number() % 4 == 0 && row < sizes.queries)
            a.lse[first_row + (order ? order[row] : row)] = rows.top[half] * natural + logf(sum);
    }
    store_rows<T, dim>(a.out.of(task, order), query, sizes.queries, rows.out, factor,
                       q + warp_row * stride, sizes.dim);
}

}  // namespace mim::cuda
