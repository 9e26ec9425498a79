// Attention's backward kernel for short sequences: all gradients of a head from one pass.
#pragma once

#include "cuda/attention_backward.h"
#include "cuda/attention_table.h"

namespace mim::cuda {

// p and ds of a block side by side, one row a query.
template <class T, int warps>
inline constexpr int weights_stride = tile_stride<T, 2 * warps * group_rows>;

// c (16 x dim) += left^T rows, with 16 columns of `left` (count x 16) and as many rows.
template <int dim, int stride, int groups>
__device__ void multiply_turned(float (&c)[dim / 8][4], const bf16* left, const bf16* rows,
                                int count) {
    const int lane = lane_number();
    const bf16* column = left + (lane / 16 * 8 + lane % 8) * stride + lane / 8 % 2 * 8;
    const bf16* row = rows + lane % 16 * tile_stride<bf16, dim> + lane / 16 * 8;
    for (int first = 0; first < count; first += group_rows) {
        uint32_t a[4];
        load_matrices_turned(a, column + first * stride);
#pragma unroll
        for (int i = 0; i < dim / 16; ++i) {
            uint32_t r[4];
            load_matrices_turned(r, row + first * tile_stride<bf16, dim> + 16 * i);
            multiply_add(c[2 * i], a, {r[0], r[1]});
            multiply_add(c[2 * i + 1], a, {r[2], r[3]});
        }
    }
}

template <int dim, int stride, int groups>
__device__ void multiply_turned(float (&c)[dim / 8][4], const float* left, const float* rows,
                                int count) {
    const int g = lane_number() / 4, t = lane_number() % 4;
#pragma unroll 1
    for (int j = 0; j < count; ++j) {
        const float upper = left[j * stride + g], lower = left[j * stride + g + 8];
#pragma unroll
        for (int i = 0; i < dim / 8; ++i) {
            const auto v =
                load_vector<float, 2>(rows + j * tile_stride<float, dim> + 8 * i + 2 * t);
            c[i][0] = fmaf(upper, v[0], c[i][0]);
            c[i][1] = fmaf(upper, v[1], c[i][1]);
            c[i][2] = fmaf(lower, v[0], c[i][2]);
            c[i][3] = fmaf(lower, v[1], c[i][3]);
        }
    }
}

template <class T, int groups>
__device__ void store_weights(T* to, int stride, const float (&p)[2 * groups][4], int count) {
    const int g = lane_number() / 4, t = lane_number() % 4;
#pragma unroll
    for (int n = 0; n < 2 * groups; ++n) {
        if (n / 2 * group_rows >= count) break;
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            vector<T, 2> pair;
            pair[0] = T(p[n][2 * half]);
            pair[1] = T(p[n][2 * half + 1]);
            store_vector<T, 2>(to + (g + 8 * half) * stride + 8 * n + 2 * t, pair);
        }
    }
}

template <class T, int dim, int warps>
int64_t short_shared_bytes(const attention_sizes& s, bool with_dbias) {
    constexpr int rows = warps * group_rows;
    int64_t bytes = 4 * shared_bytes<T>(rows * tile_stride<T, dim>) +
                    shared_bytes<T>(rows * weights_stride<T, warps>) + shared_bytes<float>(dim);
    if (s.entries > 0) bytes += shared_bytes<float>(rows * products_room(s.entries));
    if (with_dbias) bytes += shared_bytes<float>(rows * rows);
    return bytes;
}

// At most 16 `warps` queries and as many keys. grid (heads x chunks), block 32 warps: a warp owns 16
// queries up to dq, then 16 keys; between the two p and ds pass through shared memory. A block does
// the samples and windows of its chunk one after the other. It keeps its sum of dbias in shared
// memory, and that of dtable in a part that only this block has.
template <class T, int dim, int warps, bool placed>
__global__ void __launch_bounds__(32 * warps, warps == 5  ? 1
                                              : dim <= 64 ? 3
                                                          : 2)
    attention_short_kernel(attention_backward_arguments<T> a) {
    constexpr int rows = warps * group_rows, groups = warps, stride = tile_stride<T, dim>;
    constexpr int wide = weights_stride<T, warps>;
    const attention_sizes& sizes = a.sizes;
    const int entries = placed ? sizes.entries : 0;
    const int head = int(blockIdx.x % unsigned(sizes.heads));
    const int64_t chunk = blockIdx.x / unsigned(sizes.heads), begin = chunk * a.chunk;
    const int64_t end = begin + a.chunk < sizes.shared ? begin + a.chunk : sizes.shared;
    const int lane = lane_number(), g = lane / 4, t = lane % 4;
    const int warp_row = warp_number() * group_rows;  // of queries, and then of keys

    block_memory memory;
    T* q = memory.take<T>(rows * stride);
    T* k = memory.take<T>(rows * stride);
    T* v = memory.take<T>(rows * stride);
    T* dout = memory.take<T>(rows * stride);
    T* weights = memory.take<T>(rows * wide);
    float* mean = memory.take<float>(dim);
    T* own_weights = weights + warp_row * wide;
    // a row's products with the table make room for its sums by bucket; ds waits for these sums where
    // p and ds will lie
    bucket_sums sums = {nullptr, nullptr, 0, rows + 1};
    if (entries > 0) {
        sums.stride = products_room(sizes.entries);
        sums.rows =
            memory.take<float>(rows * products_room(sizes.entries)) + warp_row * sums.stride;
        static_assert(group_rows * (rows + 1) * sizeof(float) <= group_rows * wide * sizeof(T));
        sums.stage = reinterpret_cast<float*>(own_weights);
    }
    float* dbias = placed && a.dbias_parts != nullptr ? memory.take<float>(rows * rows) : nullptr;

    for (int64_t shared = begin; shared < end; ++shared) {
        const attention_task task(sizes, shared, head);
        const int32_t* order = a.positions.order_of(sizes, task);
        load_tile<T, dim>(q, a.q.of(task, order), 0, sizes.queries, rows, sizes.dim);
        load_tile<T, dim>(k, a.k.of(task, order), 0, sizes.keys, rows, sizes.dim);
        if (entries == 0) load_tile<T, dim>(v, a.v.of(task, order), 0, sizes.keys, rows, sizes.dim);
        load_tile<T, dim>(dout, a.dout.of(task, order), 0, sizes.queries, rows, sizes.dim);
        close_copy_group();
        float lse[2];
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const int row = warp_row + g + 8 * half;
            lse[half] = row >= sizes.queries ? INFINITY : a.lse_of(task)[order ? order[row] : row];
        }
        wait_for_copies<0>();
        wait_block();
        mean_of_rows<T, dim>(mean, k, sizes.keys);

        const bool active = warp_row < sizes.queries;
        score_terms terms(sizes, a.positions, task, a.scale);
        left_rows<T, dim> left;
        left.load(q + warp_row * stride);
        if (entries > 0) {
            multiply_table<T, dim, groups>(sums.rows, sums.stride, sizes.queries - warp_row, left,
                                           a.table, sizes.entries, v);
            load_tile<T, dim>(v, a.v.of(task, order), 0, sizes.keys, rows, sizes.dim);
            close_copy_group();
            wait_for_copies<0>();
            wait_block();
            terms.products_stride = sums.stride;
        }
        float ds[2 * groups][4];
        if (active) {
            float p[2 * groups][4];
            clear(p);
            clear(ds);
            multiply_rows<dim, groups>(p, left, k, sizes.keys);
            left.load(dout + warp_row * stride);
            multiply_rows<dim, groups>(ds, left, v, sizes.keys);
            if constexpr (placed) terms.add<groups>(p, warp_row, 0, sizes.keys, sums.rows);
            close_behind<groups>(p, sizes.keys);
            exponentials<groups>(p, sizes.keys, placed ? 1.0f : a.scale, lse);
            row_statistics statistics;
            statistics.add<groups>(p, ds, sizes.keys);
            statistics.finish();
#pragma unroll
            for (int n = 0; n < 2 * groups; ++n) {
                if (n / 2 * group_rows >= sizes.keys) break;
#pragma unroll
                for (int c = 0; c < 4; ++c) {
                    p[n][c] *= statistics.norm[c / 2];
                    ds[n][c] = p[n][c] * (ds[n][c] - statistics.delta[c / 2]);
                }
            }
            if (dbias != nullptr) {
#pragma unroll
                for (int n = 0; n < 2 * groups; ++n) {  // each thread its own
                    if (n / 2 * group_rows >= sizes.keys) break;
                    float* to = dbias + (n * int(blockDim.x) + int(threadIdx.x)) * 4;
                    vector<float, 4> sum = {};
                    if (shared > begin) sum = load_vector<float, 4>(to);
#pragma unroll
                    for (int c = 0; c < 4; ++c) sum[c] += ds[n][c];
                    store_vector<float, 4>(to, sum);
                }
            }
            if (entries > 0) {
                sums.clear_rows();
                sums.add<groups>(ds, warp_row, 0, sizes.keys, terms);
            }
            store_weights<T, groups>(own_weights, wide, p, sizes.keys);
            store_weights<T, groups>(own_weights + rows, wide, ds, sizes.keys);
        }
        wait_block();

        float c[dim / 8][4], sum_of_ds[1][4];
        clear(c);
        clear(sum_of_ds);
        if (active) multiply_weights<dim, groups, true>(c, ds, k, sizes.keys, sum_of_ds);
        finish_dq<dim>(c, sum_of_ds[0], mean, a.scale);
        if (entries > 0) {
            add_table_rows<T, dim, groups>(c, sums, a.table, sizes.entries, v);
            if (a.dtable_parts != nullptr)
                add_dtable<T, dim, groups>(
                    a.dtable_parts + int64_t(blockIdx.x) * sizes.dim * sizes.entries,
                    shared == begin, sums.rows - warp_row * sums.stride, sums.stride, q,
                    sizes.queries, sizes);
            wait_block();
        }
        const float ones[2] = {1, 1}, scales[2] = {a.scale, a.scale};
        T* stage = v + warp_row * stride;
        if (active)
            store_rows<T, dim>(a.dq.of(task, order), warp_row, sizes.queries, c, ones, stage,
                               sizes.dim);
        if (warp_row < sizes.keys) {
            clear(c);
            multiply_turned<dim, wide, groups>(c, weights + warp_row, dout, sizes.queries);
            store_rows<T, dim>(a.dv.of(task, order), warp_row, sizes.keys, c, ones, stage,
                               sizes.dim);
            clear(c);
            multiply_turned<dim, wide, groups>(c, weights + rows + warp_row, q, sizes.queries);
            store_rows<T, dim>(a.dk.of(task, order), warp_row, sizes.keys, c, scales, stage,
                               sizes.dim);
        }
        wait_block();
    }
    if (dbias == nullptr || warp_row >= sizes.queries) return;
    float* part = a.dbias_parts + (chunk * sizes.heads + head) * sizes.queries * sizes.keys;
    for (int n = 0; n < 2 * groups; ++n)
        for (int c = 0; c < 4; ++c) {
            const int i = warp_row + g + c / 2 * 8, j = 8 * n + 2 * t + c % 2;
            if (i < sizes.queries && j < sizes.keys)
                part[i * sizes.keys + j] = dbias[(n * int(blockDim.x) + int(threadIdx.x)) * 4 + c];
        }
}

}  // namespace mim::cuda
