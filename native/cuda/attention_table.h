// The table of LoMaR (D, U) as more keys: its products with queries, which scores pick from by bucket,
// and its gradients from the sums of ds by bucket.
#pragma once

#include "cuda/attention_scores.h"

namespace mim::cuda {

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
#pragma unroll 1
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

// The sum of ds over the keys of each bucket, 16 rows of a warp, with which the table's gradients are
// formed like those of keys.
struct bucket_sums {
    float *rows, *stage;  // (16, U padded to `stride`), (16, stage_stride)
    int64_t stride;
    int stage_stride;

    __device__ void clear_rows() const {
        for (int64_t i = lane_number(); i < group_rows * stride; i += 32) rows[i] = 0;
        wait_warp();
    }

    // A lane adds all keys of its row one after the other, so the order is fixed.
    template <int groups>
    __device__ void add(const float (&ds)[2 * groups][4], int query, int key, int count,
                        const score_terms& terms) const {
        const int lane = lane_number(), g = lane / 4, t = lane % 4;
#pragma unroll
        for (int n = 0; n < 2 * groups; ++n) {
            if (n / 2 * group_rows >= count) break;
#pragma unroll
            for (int e = 0; e < 4; ++e)
                stage[(g + e / 2 * 8) * stage_stride + 8 * n + 2 * t + e % 2] = ds[n][e];
        }
        wait_warp();
        const int last = count < groups * group_rows ? count : groups * group_rows;
        if (lane < group_rows && query + lane < terms.queries) {
            const int32_t* bucket = terms.buckets + int64_t(query + lane) * terms.keys + key;
            for (int j = 0; j < last; ++j)
                rows[lane * stride + bucket[j]] += stage[lane * stage_stride + j];
        }
        wait_warp();
    }
};

// dq (16 x dim) += the sums of ds by bucket, times the rows of the table.
template <class T, int dim, int groups>
__device__ void add_table_rows(float (&dq)[dim / 8][4], const bucket_sums& sums, const T* table,
                               int entries, T* tile) {
    const int padded = padded_entries(entries), g = lane_number() / 4, t = lane_number() % 4;
    constexpr int most = groups * group_rows;
    for (int first = 0; first < entries; first += most) {
        wait_block();
        load_tile<T, dim>(tile, rows_of_table<T, dim>(table, entries, 0), first, padded, most, dim);
        close_copy_group();
        wait_for_copies<0>();
        wait_block();
        float p[2 * groups][4];
#pragma unroll
        for (int n = 0; n < 2 * groups; ++n)
#pragma unroll
            for (int e = 0; e < 4; ++e) {
                const int entry = first + 8 * n + 2 * t + e % 2;
                p[n][e] = entry < padded ? sums.rows[(g + e / 2 * 8) * sums.stride + entry] : 0.0f;
            }
        multiply_weights<dim, groups>(dq, p, tile, padded - first);
    }
}

// part (D, U) = or += sums^T q over the `present` queries of a block, 16 entries a warp.
template <class T, int dim, int warps>
__device__ void add_dtable(float* part, bool first_of_part, const float* sums, int64_t stride,
                           const T* q, int present, const attention_sizes& s) {
    const int g = lane_number() / 4, t = lane_number() % 4;
    for (int first = warp_number() * group_rows; first < s.entries; first += warps * group_rows) {
        float p[2 * warps][4], c[dim / 8][4];
#pragma unroll
        for (int n = 0; n < 2 * warps; ++n)
#pragma unroll
            for (int e = 0; e < 4; ++e) {
                const int query = 8 * n + 2 * t + e % 2;
                p[n][e] = query < present ? sums[query * stride + first + g + e / 2 * 8] : 0.0f;
            }
        clear(c);
        multiply_exact_weights<T, dim, warps>(c, p, q, present);
#pragma unroll
        for (int i = 0; i < dim / 8; ++i)
#pragma unroll
            for (int e = 0; e < 4; ++e) {
                const int entry = first + g + e / 2 * 8, column = 8 * i + 2 * t + e % 2;
                if (entry >= s.entries || column >= s.dim) continue;
                float* to = part + int64_t(column) * s.entries + entry;
                *to = first_of_part ? c[i][e] : *to + c[i][e];
            }
    }
}

}  // namespace mim::cuda
