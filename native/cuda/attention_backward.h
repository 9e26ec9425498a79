// What attention's backward kernels share.
#pragma once

#include "cuda/attention_scores.h"

namespace mim::cuda {

template <class T>
struct attention_backward_arguments {
    attention_sizes sizes;
    attention_positions positions;
    head_tokens<T> dq, dk, dv;
    head_tokens<const T> dout, q, k, v, out;
    const float* lse;
    const T* table;
    float* products;      // (tasks, T, U): q table
    float* bucket_sums;   // (blocks, 64, padded U), or null: they fit into shared memory
    float* statistics;    // (tasks, T, 2): 1 / sum p and sum p e of each row
    float* dbias_parts;   // (chunks, H, T, S)
    float* dtable_parts;  // (blocks, D, U)
    int64_t chunk;        // what a block does of the batch and its windows, one after the other
    float scale;
    bool exact;  // statistics from p and e, and not from lse and out

    __device__ const float* lse_of(const attention_task& t) const {
        return lse + (t.sample * sizes.heads + t.head) * sizes.windows * sizes.queries;
    }
};

// Turns scores into exp(score - lse) with lse by row; `factor` is what one of a score is worth.
template <int groups>
__device__ void exponentials(float (&s)[2 * groups][4], int count, float factor,
                             const float (&lse)[2]) {
#pragma unroll
    for (int n = 0; n < 2 * groups; ++n) {
        if (n / 2 * group_rows >= count) break;
#pragma unroll
        for (int e = 0; e < 4; ++e)
            s[n][e] = exp2_fast(log2_e * fmaf(s[n][e], factor, -lse[e / 2]));
    }
}

// Adds ds to the block's part of dbias, or begins it.
template <int groups, class T>
__device__ void add_dbias(const attention_backward_arguments<T>& a,
                          const float (&ds)[2 * groups][4], bool begins, int64_t chunk, int head,
                          int query, int key, int count) {
    const attention_sizes& s = a.sizes;
    const int g = lane_number() / 4, t = lane_number() % 4;
    float* part = a.dbias_parts + (chunk * s.heads + head) * s.queries * s.keys;
#pragma unroll
    for (int n = 0; n < 2 * groups; ++n)
#pragma unroll
        for (int e = 0; e < 4; ++e) {
            const int i = query + g + e / 2 * 8, j = 8 * n + 2 * t + e % 2;
            if (i >= s.queries || j >= count) continue;
            float* to = part + int64_t(i) * s.keys + key + j;
            *to = begins ? ds[n][e] : *to + ds[n][e];
        }
}

// 1 / sum p and sum p e of a warp's rows.
//
// lse is rounded at its own size, which for scores in the thousands shifts exp(score - lse) by a
// common factor; dividing by the row's sum takes that out. And delta is summed from p e rather than
// from dout out: `out` may have been rounded to bf16, and the row of ds should sum to 0.
struct row_statistics {
    float norm[2] = {0, 0}, delta[2] = {0, 0};

    template <int groups>
    __device__ void add(const float (&p)[2 * groups][4], const float (&e)[2 * groups][4],
                        int count) {
#pragma unroll
        for (int n = 0; n < 2 * groups; ++n) {
            if (n / 2 * group_rows >= count) break;
#pragma unroll
            for (int c = 0; c < 4; ++c) {
                norm[c / 2] += p[n][c];
                delta[c / 2] = fmaf(p[n][c], e[n][c], delta[c / 2]);
            }
        }
    }
    __device__ void finish() {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const float sum = sum_of_row(norm[half]);
            norm[half] = sum > 0 ? 1 / sum : 0.0f;  // 0 in rows behind the last
            delta[half] = norm[half] * sum_of_row(delta[half]);
        }
    }
};

// The mean of the keys of a tile. A row of ds sums to 0, but rounded to bf16 it does not: what all
// keys have in common must be taken out of dq again.
template <class T, int dim>
__device__ void mean_of_rows(float* mean, const T* tile, int count) {
    for (int c = int(threadIdx.x); c < dim; c += int(blockDim.x)) {
        float sum = 0;
        for (int j = 0; j < count; ++j) sum += float(tile[j * tile_stride<T, dim> + c]);
        mean[c] = sum / float(count);
    }
}
template <int dim>
__device__ void finish_dq(float (&dq)[dim / 8][4], const float (&sum_of_ds)[4], const float* mean,
                          float scale) {
    const int t = lane_number() % 4;
#pragma unroll
    for (int i = 0; i < dim / 8; ++i)
#pragma unroll
        for (int c = 0; c < 4; ++c)
            dq[i][c] = scale * fmaf(-sum_of_ds[c], mean[8 * i + 2 * t + c % 2], dq[i][c]);
}

}  // namespace mim::cuda
