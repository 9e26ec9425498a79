// What attention's blocks read and write: the tokens of one head of one window, in tiles.
#pragma once

#include "cuda/attention_products.h"

namespace mim::cuda {

constexpr int attention_warps = 4, attention_threads = 32 * attention_warps;
constexpr int block_rows = group_rows * attention_warps;  // 16 rows a warp

// A call. Queries and keys are those of a window; without windows the image is one.
struct attention_sizes {
    int64_t shared;  // batch x windows: what shares a bias
    int32_t windows, queries, keys, heads, dim, entries;
};

// One head of one window of one sample.
struct attention_task {
    int64_t sample;
    int32_t window, head;

    __device__ attention_task(const attention_sizes& s, int64_t shared, int head)
        : sample(shared / s.windows), window(int32_t(shared % s.windows)), head(head) {}
    // Tasks in the order (B, W, H).
    __device__ int64_t number(const attention_sizes& s) const {
        return (sample * s.windows + window) * s.heads + head;
    }
};

// Row i is the token order[i] of an image, or token i.
template <class T>
struct token_rows {
    T* first;
    int64_t stride;
    const int32_t* order;
    bool aligned;  // every row begins at 16 bytes

    __device__ T* operator[](int i) const { return first + (order ? order[i] : i) * stride; }
};

// An argument (B, N, H, D).
template <class T>
struct head_tokens {
    T* first;
    int64_t sample, token, head;  // strides
    bool aligned;

    __device__ token_rows<T> of(const attention_task& t, const int32_t* order) const {
        return {first + t.sample * sample + t.head * head, token, order, aligned};
    }
};

// tile[i, :] = rows[begin + i, :] for the rows before `end`, at most `most` (a multiple of 16); zeros
// behind them up to a whole group, and behind the `columns` that a row has. Neighbouring threads copy
// neighbouring 16 bytes of a token. Whoever reads the tile waits for the copies and for the block.
template <class T, int dim>
__device__ void load_tile(T* tile, const token_rows<const T>& rows, int begin, int end, int most,
                          int columns) {
    constexpr int width = 16 / int(sizeof(T)), pieces = dim / width;
    const int count = end - begin < most ? end - begin : most;
    const int padded = (count + group_rows - 1) / group_rows * group_rows;
    for (int i = int(threadIdx.x); i < padded * pieces; i += int(blockDim.x)) {
        const int row = i / pieces, column = i % pieces * width;
        T* to = tile + row * tile_stride<T, dim> + column;
        const int present = row < count ? columns - column : 0;  // of this piece; may be too many
        const T* from = present > 0 ? rows[begin + row] + column : rows.first;
        if (rows.aligned) {
            const int kept = present < 0 ? 0 : present < width ? present : width;
            copy_later(to, from, kept * int(sizeof(T)));
        } else {
            for (int e = 0; e < width; ++e) to[e] = e < present ? from[e] : T(0.0f);
        }
    }
}

// rows[begin + i, :] = factor[i / 8] c[i, :] for the rows of a warp that lie before `end`. They pass
// through 16 rows of shared memory that are this warp's own, to be written in pieces of 16 bytes.
template <class T, int dim>
__device__ void store_rows(const token_rows<T>& rows, int begin, int end,
                           const float (&c)[dim / 8][4], const float (&factor)[2], T* stage,
                           int columns) {
    constexpr int width = 16 / int(sizeof(T)), pieces = dim / width, stride = tile_stride<T, dim>;
    const int lane = lane_number(), g = lane / 4, t = lane % 4;
    wait_warp();
#pragma unroll
    for (int i = 0; i < dim / 8; ++i)
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            T* to = stage + (g + 8 * half) * stride + 8 * i + 2 * t;
            to[0] = T(factor[half] * c[i][2 * half]);
            to[1] = T(factor[half] * c[i][2 * half + 1]);
        }
    wait_warp();
    const int count = end - begin < group_rows ? end - begin : group_rows;
    for (int i = lane; i < count * pieces; i += 32) {
        const int row = i / pieces, column = i % pieces * width;
        if (column >= columns) continue;
        const T* from = stage + row * stride + column;
        T* to = rows[begin + row] + column;
        if (rows.aligned && column + width <= columns)
            store_vector<T, width>(to, load_vector<T, width>(from));
        else
#pragma unroll 1
            for (int e = 0; e < width && column + e < columns; ++e) to[e] = from[e];
    }
}

}  // namespace mim::cuda
