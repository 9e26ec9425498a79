// Attention's backward kernel by keys: dk and dv.
#pragma once

#include "cuda/attention_backward.h"

namespace mim::cuda {

// Queries of a tile, in groups.
template <int dim>
inline constexpr int key_kernel_groups = dim <= 32 ? 4 : 2;

template <class T, int dim>
constexpr int64_t keys_shared_bytes() {
    constexpr int tile = key_kernel_groups<dim> * group_rows, stride = tile_stride<T, dim>;
    return 2 * shared_bytes<T>(block_rows * stride) + 2 * shared_bytes<T>(2 * tile * stride) +
           3 * shared_bytes<float>(2 * tile);
}

// grid (key tiles x heads x windows x samples), block 128: a warp owns 16 keys of one head, with k, v,
// dk and dv in registers, and the transposed tile of scores. Queries pass by in tiles of 64 or 32 with
// their lse and statistics, so the attention_queries_kernel comes before.
template <class T, int dim, bool placed>
__global__ void __launch_bounds__(attention_threads, dim <= 64 ? 3 : 2)
    attention_keys_kernel(attention_backward_arguments<T> a) {
    constexpr int groups = key_kernel_groups<dim>, tile_rows = groups * group_rows;
    constexpr int stride = tile_stride<T, dim>;
    const attention_sizes& sizes = a.sizes;
    const int key_tiles = (sizes.keys + block_rows - 1) / block_rows;
    const int block_key = int(blockIdx.x % unsigned(key_tiles)) * block_rows;
    const int64_t head_of_all = blockIdx.x / unsigned(key_tiles);
    const attention_task task(sizes, head_of_all / sizes.heads, int(head_of_all % sizes.heads));
    const int32_t* order = a.positions.order_of(sizes, task);
    const int lane = lane_number(), g = lane / 4, t = lane % 4;
    const int warp_row = warp_number() * group_rows, key = block_key + warp_row;
    const bool active = key < sizes.keys;
    const int tiles = (sizes.queries + tile_rows - 1) / tile_rows;

    block_memory memory;
    T* k = memory.take<T>(block_rows * stride);
    T* v = memory.take<T>(block_rows * stride);
    T* queries = memory.take<T>(2 * tile_rows * stride);
    T* gradients = memory.take<T>(2 * tile_rows * stride);
    float* lse = memory.take<float>(2 * tile_rows);
    float* norm = memory.take<float>(2 * tile_rows);
    float* delta = memory.take<float>(2 * tile_rows);

    const int64_t first_row = task.number(sizes) * sizes.queries;
    const auto q = a.q.of(task, order), dout = a.dout.of(task, order);
    const auto load_queries = [&](int tile) {
        const int place = tile % 2 * tile_rows, first = tile * tile_rows;
        load_tile<T, dim>(queries + place * stride, q, first, sizes.queries, tile_rows, sizes.dim);
        load_tile<T, dim>(gradients + place * stride, dout, first, sizes.queries, tile_rows,
                          sizes.dim);
        for (int i = int(threadIdx.x); i < tile_rows; i += attention_threads) {
            const int row = first + i;
            const bool present = row < sizes.queries;  // p becomes 0 behind the last
            lse[place + i] = present ? a.lse_of(task)[order ? order[row] : row] : INFINITY;
            norm[place + i] = present ? a.statistics[2 * (first_row + row)] : 0.0f;
            delta[place + i] = present ? a.statistics[2 * (first_row + row) + 1] : 0.0f;
        }
    };
    load_tile<T, dim>(k, a.k.of(task, order), block_key, sizes.keys, block_rows, sizes.dim);
    load_tile<T, dim>(v, a.v.of(task, order), block_key, sizes.keys, block_rows, sizes.dim);
    score_terms terms(sizes, a.positions, task, a.scale);
    const float* products =
        placed && sizes.entries > 0 ? a.products + first_row * sizes.entries : nullptr;
    const float factor = placed ? 1.0f : a.scale;
    left_rows<T, dim> left_k, left_v;
    float dk[dim / 8][4], dv[dim / 8][4];
    clear(dk);
    clear(dv);
    load_queries(0);
    for (int tile = 0; tile < tiles; ++tile) {
        close_copy_group();
        if (tile + 1 < tiles) load_queries(tile + 1);
        close_copy_group();
        wait_for_copies<1>();
        wait_block();
        if (active) {
            if (tile == 0) {
                left_k.load(k + warp_row * stride);
                left_v.load(v + warp_row * stride);
            }
            const int place = tile % 2 * tile_rows, first = tile * tile_rows;
            const int count = sizes.queries - first;
            float s[2 * groups][4], e[2 * groups][4];  // (keys, queries)
            clear(s);
            clear(e);
            multiply_rows<dim, groups>(s, left_k, queries + place * stride, count);
            multiply_rows<dim, groups>(e, left_v, gradients + place * stride, count);
#pragma unroll
            for (int n = 0; n < 2 * groups; ++n) {
                if (n / 2 * group_rows >= count) break;
                const int column = 8 * n + 2 * t;  // and the next one
                const auto lses = load_vector<float, 2>(lse + place + column);
                const auto deltas = load_vector<float, 2>(delta + place + column);
                vector<float, 2> norms;
                if constexpr (placed) norms = load_vector<float, 2>(norm + place + column);
#pragma unroll
                for (int c = 0; c < 4; ++c) {
                    const int i = first + column + c % 2;
                    if constexpr (placed)
                        s[n][c] = terms.add_to(
                            s[n][c], i, key + g + c / 2 * 8,
                            products == nullptr ? nullptr : products + int64_t(i) * sizes.entries);
                    s[n][c] = exp2_fast(log2_e * fmaf(s[n][c], factor, -lses[c % 2]));
                    if constexpr (placed) s[n][c] *= norms[c % 2];
                    e[n][c] = s[n][c] * (e[n][c] - deltas[c % 2]);
                }
            }
            multiply_weights<dim, groups>(dv, s, gradients + place * stride, count);
            multiply_weights<dim, groups>(dk, e, queries + place * stride, count);
        }
        wait_block();
    }
    if (!active) return;
    const float ones[2] = {1, 1}, scales[2] = {a.scale, a.scale};
    store_rows<T, dim>(a.dk.of(task, order), key, sizes.keys, dk, scales, k + warp_row * stride,
                       sizes.dim);
    store_rows<T, dim>(a.dv.of(task, order), key, sizes.keys, dv, ones, v + warp_row * stride,
                       sizes.dim);
}

}  // namespace mim::cuda
