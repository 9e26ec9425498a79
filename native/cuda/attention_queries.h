// Attention's backward kernel by queries: dq, dbias, dtable, and the statistics of rows.
#pragma once

#include "cuda/attention_backward.h"
#include "cuda/attention_table.h"

namespace mim::cuda {

// Keys of a tile, in groups.
template <int dim>
inline constexpr int query_kernel_groups = dim <= 32 ? 4 : 2;

template <class T, int dim>
int64_t queries_shared_bytes(const attention_sizes& s, bool with_sums) {
    constexpr int tile = query_kernel_groups<dim> * group_rows, stride = tile_stride<T, dim>;
    const int64_t rows = s.keys > tile ? 2 * tile : tile;
    int64_t bytes = 2 * shared_bytes<T>(block_rows * stride) +
                    shared_bytes<T>((rows < block_rows ? block_rows : rows) * stride) +
                    shared_bytes<T>(rows * stride) + shared_bytes<float>(dim);
    if (s.entries > 0) bytes += shared_bytes<float>(block_rows * (tile + 1));
    if (with_sums) bytes += shared_bytes<float>(block_rows * padded_entries(s.entries));
    return bytes;
}

// grid (query tiles x heads x chunks), block 128: a warp owns 16 queries of one head, and does so for
// every sample and window of its chunk. Keys and values pass by twice in tiles of 64 or 32: first for
// the statistics of rows, then, with p and ds final, for dq. dbias and dtable are added to parts of
// their own, which only this block has and which stay in the level 2 cache. Where only dq is wanted
// of bf16, and always if not `placed`, statistics come from lse and out, and keys pass by once.
template <class T, int dim, bool placed>
__global__ void __launch_bounds__(attention_threads, dim <= 64 && !placed ? 3 : 2)
    attention_queries_kernel(attention_backward_arguments<T> a) {
    constexpr int groups = query_kernel_groups<dim>, tile_rows = groups * group_rows;
    constexpr int stride = tile_stride<T, dim>;
    const attention_sizes& sizes = a.sizes;
    const int entries = placed ? sizes.entries : 0;
    const bool exact = placed && a.exact;
    const int query_tiles = (sizes.queries + block_rows - 1) / block_rows;
    const int64_t rest = blockIdx.x / unsigned(query_tiles);
    const int head = int(rest % sizes.heads),
              block_query = int(blockIdx.x % query_tiles) * block_rows;
    const int64_t chunk = rest / sizes.heads, begin = chunk * a.chunk;
    const int64_t end = begin + a.chunk < sizes.shared ? begin + a.chunk : sizes.shared;
    const int lane = lane_number(), g = lane / 4, t = lane % 4;
    const int warp_row = warp_number() * group_rows, query = block_query + warp_row;
    const bool active = query < sizes.queries;
    const int tiles = (sizes.keys + tile_rows - 1) / tile_rows;
    const int stage_rows = tiles > 1 ? 2 * tile_rows : tile_rows;

    block_memory memory;
    T* q = memory.take<T>(block_rows * stride);
    T* dout = memory.take<T>(block_rows * stride);
    T* keys = memory.take<T>((stage_rows < block_rows ? block_rows : stage_rows) * stride);
    T* values = memory.take<T>(stage_rows * stride);
    float* mean = memory.take<float>(dim);
    bucket_sums sums = {nullptr, nullptr, padded_entries(sizes.entries), tile_rows + 1};
    if (entries > 0) {
        sums.stage = memory.take<float>(block_rows * (tile_rows + 1)) + warp_row * (tile_rows + 1);
        sums.rows = a.bucket_sums == nullptr
                        ? memory.take<float>(block_rows * sums.stride)
                        : a.bucket_sums + int64_t(blockIdx.x) * block_rows * sums.stride;
        sums.rows += warp_row * sums.stride;
    }

    for (int64_t shared = begin; shared < end; ++shared) {
        const attention_task task(sizes, shared, head);
        const int32_t* order = a.positions.order_of(sizes, task);
        const auto k = a.k.of(task, order), v = a.v.of(task, order);
        const auto load_keys = [&](int tile, int place) {
            const int at = place % 2 * tile_rows * stride, first = tile * tile_rows;
            load_tile<T, dim>(keys + at, k, first, sizes.keys, tile_rows, sizes.dim);
            load_tile<T, dim>(values + at, v, first, sizes.keys, tile_rows, sizes.dim);
        };
        load_tile<T, dim>(q, a.q.of(task, order), block_query, sizes.queries, block_rows,
                          sizes.dim);
        load_tile<T, dim>(dout, a.dout.of(task, order), block_query, sizes.queries, block_rows,
                          sizes.dim);
        if (!exact)
            load_tile<T, dim>(keys, a.out.of(task, order), block_query, sizes.queries, block_rows,
                              sizes.dim);
        close_copy_group();
        wait_for_copies<0>();
        wait_block();
        left_rows<T, dim> left_q, left_dout;
        left_q.load(q + warp_row * stride);
        left_dout.load(dout + warp_row * stride);

        row_statistics statistics;
        if (!exact) {  // dout_i.out_i as e is formed, so that it is e where one key has it all
            float c[2][4];
            clear(c);
            if (active) {
                statistics.norm[0] = statistics.norm[1] = 1;
                multiply_rows<dim, 1>(c, left_dout, keys + warp_row * stride, group_rows);
                const int source = lane / 4 * 4 + g / 2;  // has (g, g) and (g + 8, g + 8)
                statistics.delta[0] = shuffle(g % 2 ? c[0][1] : c[0][0], source);
                statistics.delta[1] = shuffle(g % 2 ? c[1][3] : c[1][2], source);
            }
            wait_block();
        }

        const int64_t first_row = task.number(sizes) * sizes.queries;
        score_terms terms(sizes, a.positions, task, a.scale);
        const float factor = placed ? 1.0f : a.scale;
        float* products = nullptr;
        if (entries > 0) {
            terms.products_stride = sizes.entries;
            products = a.products + (first_row + query) * sizes.entries;
            multiply_table<T, dim, groups>(products, sizes.entries, sizes.queries - query, left_q,
                                           a.table, sizes.entries, keys);
            sums.clear_rows();
        }

        float lse[2];
        for (int half = 0; half < 2; ++half) {
            const int row = query + g + 8 * half;
            lse[half] = row >= sizes.queries ? INFINITY : a.lse_of(task)[order ? order[row] : row];
        }
        float dq[dim / 8][4], sum_of_ds[1][4];
        clear(dq);
        clear(sum_of_ds);
        const int passes = exact ? 2 : 1, steps = passes * tiles;
        const bool reload = tiles > 1;
        load_keys(0, 0);
        for (int step = 0; step < steps; ++step) {
            const int tile = step < tiles ? step : step - tiles;
            close_copy_group();
            if (reload && step + 1 < steps)
                load_keys(step + 1 < tiles ? step + 1 : step + 1 - tiles, step + 1);
            close_copy_group();
            wait_for_copies<1>();
            wait_block();
            const int at = reload ? step % 2 * tile_rows * stride : 0;
            const int first = tile * tile_rows, count = sizes.keys - first;
            if (step == 0) mean_of_rows<T, dim>(mean, keys, count < tile_rows ? count : tile_rows);
            if (active) {
                float s[2 * groups][4], e[2 * groups][4];
                clear(s);
                clear(e);
                multiply_rows<dim, groups>(s, left_q, keys + at, count);
                multiply_rows<dim, groups>(e, left_dout, values + at, count);
                if constexpr (placed) terms.add<groups>(s, query, first, count, products);
                close_behind<groups>(s, count);
                exponentials<groups>(s, count, factor, lse);
                const bool measuring = exact && step < tiles;
                if (measuring) {
                    statistics.add<groups>(s, e, count);
                    if (tile + 1 == tiles) statistics.finish();
                } else {
#pragma unroll
                    for (int n = 0; n < 2 * groups; ++n) {
                        if (n / 2 * group_rows >= count) break;
#pragma unroll
                        for (int c = 0; c < 4; ++c)
                            s[n][c] *= statistics.norm[c / 2] * (e[n][c] - statistics.delta[c / 2]);
                    }
                    if (placed && a.dbias_parts != nullptr)
                        add_dbias<groups>(a, s, shared == begin, chunk, head, query, first, count);
                    if (entries > 0) sums.add<groups>(s, query, first, count, terms);
                    multiply_weights<dim, groups, true>(dq, s, keys + at, count, sum_of_ds);
                }
            }
            wait_block();
        }

        if (active && t == 0)
            for (int half = 0; half < 2; ++half) {
                const int row = query + g + 8 * half;
                if (row >= sizes.queries) continue;
                a.statistics[2 * (first_row + row)] = statistics.norm[half];
                a.statistics[2 * (first_row + row) + 1] = statistics.delta[half];
            }
        finish_dq<dim>(dq, sum_of_ds[0], mean, a.scale);
        if (entries > 0) {
            add_table_rows<T, dim, groups>(dq, sums, a.table, sizes.entries, keys);
            if (a.dtable_parts != nullptr) {
                wait_block();
                add_dtable<T, dim, attention_warps>(
                    a.dtable_parts + int64_t(blockIdx.x) * sizes.dim * sizes.entries,
                    shared == begin, sums.rows - warp_row * sums.stride, sums.stride, q,
                    sizes.queries - block_query, sizes);
            }
        }
        const float ones[2] = {1, 1};
        if (active)
            store_rows<T, dim>(a.dq.of(task, order), query, sizes.queries, dq, ones,
                               dout + warp_row * stride, sizes.dim);
        wait_block();
    }
}

}  // namespace mim::cuda
